import { execFileSync } from "node:child_process";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { makeCertificate } from "../../src/server/certificate.js";
import { onPath } from "../test-server.js";

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const step of cleanUp.splice(0)) step();
});

describe("a certificate that is made on the fly", () => {
  it("is signed by itself, for its key, and names its hosts", () => {
    const { certificate, key } = makeCertificate([
      "node01.cluster",
      "10.0.0.1",
      "fd00::2",
      "::",
      "::1",
      "fe80::1:0:0:2",
    ]);
    const parsed = new X509Certificate(certificate);
    expect(parsed.checkIssued(parsed)).toBe(true);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(parsed.ca).toBe(false);
    expect(parsed.subject).toBe("CN=taskmuster");
    expect(parsed.checkHost("node01.cluster")).toBe("node01.cluster");
    expect(parsed.checkHost("node02.cluster")).toBeUndefined();
    for (const ip of ["10.0.0.1", "fd00::2", "::", "::1", "fe80::1:0:0:2"])
      expect(parsed.checkIP(ip)).toBe(ip);
    expect(parsed.checkIP("10.0.0.2")).toBeUndefined();
  });

  it("is valid whatever a host's clock says", () => {
    const parsed = new X509Certificate(makeCertificate([]).certificate);
    expect(parsed.validFrom).toBe("Jan  1 00:00:00 1970 GMT");
    expect(parsed.validTo).toBe("Dec 31 23:59:59 9999 GMT");
  });

  it("is another one each time", () => {
    const [one, other] = [makeCertificate([]), makeCertificate([])];
    expect(one.key).not.toBe(other.key);
    expect(new X509Certificate(one.certificate).serialNumber).not.toBe(
      new X509Certificate(other.certificate).serialNumber,
    );
  });

  it("can be read with any number of names", () => {
    const host = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.stringMatching(/^[a-z][a-z0-9-]{0,60}(\.[a-z0-9]{1,20}){0,4}$/),
    );
    fc.assert(
      fc.property(fc.array(host, { maxLength: 12 }), (hosts) => {
        const parsed = new X509Certificate(makeCertificate(hosts).certificate);
        expect(parsed.subjectAltName?.split(", ").length ?? 0).toBe(hosts.length);
      }),
      { numRuns: 50 },
    );
  });

  it("lets a client be sure, by name and all", async () => {
    const made = makeCertificate(["localhost"]);
    const server = createServer({ cert: made.certificate, key: made.key }, (socket) => socket.end("hello"));
    cleanUp.push(() => server.close());
    const port = await listening(server);
    const said = (ca: string) =>
      new Promise<string>((resolve) => {
        const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca });
        socket.setEncoding("utf8").once("data", (text: string) => resolve(text));
        socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      });
    expect(await said(made.certificate)).toBe("hello");
    expect(await said(makeCertificate(["localhost"]).certificate)).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
  });

  it.runIf(onPath("openssl") !== undefined)("is what openssl calls a good one, strictly", () => {
    const directory = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
    cleanUp.push(() => rmSync(directory, { recursive: true }));
    const path = join(directory, "certificate");
    writeFileSync(path, makeCertificate(["node01", "10.0.0.1", "fd00::2"]).certificate);
    const openssl = (...args: string[]) => execFileSync("openssl", args, { encoding: "utf8" });
    expect(openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", path, path)).toContain("OK");
    const text = openssl("x509", "-in", path, "-noout", "-text");
    for (const line of [
      "Version: 3",
      "ecdsa-with-SHA256",
      "CA:FALSE",
      "TLS Web Server Authentication",
      "DNS:node01, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:2",
    ])
      expect(text).toContain(line);
  });
});

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}
