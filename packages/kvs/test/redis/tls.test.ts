import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import type { KvsAddress } from "@taskmuster/kvs/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate } from "../../src/server/certificate.js";
import { freePort } from "../../src/server/free-port.js";
import { TestServer, onPath } from "../test-server.js";

const made = makeCertificate(["localhost", "127.0.0.1"]);
let server: TestServer;
let port = 0;

beforeAll(async () => {
  // Whoever vouches for a server may be that server itself.
  server = await TestServer.start(onPath("redis-server") ?? "");
  const [cert, key] = [join(server.directory, "crt"), join(server.directory, "key")];
  writeFileSync(cert, made.certificate);
  writeFileSync(key, made.key);
  port = await freePort();
  const settings = {
    "tls-cert-file": cert,
    "tls-key-file": key,
    "tls-auth-clients": "no",
    "tls-port": `${port}`,
  };
  for (const [name, value] of Object.entries(settings)) await server.command("CONFIG", "SET", name, value);
});
afterAll(async () => {
  await server.stop();
});

async function open(host: string, certificate?: string): Promise<void> {
  const address: KvsAddress = {
    addresses: [`rediss://${host}:${port}`],
    private: false,
    ...(certificate === undefined ? {} : { certificate }),
  };
  const store = await connectRedisStore({ address, runId: runId("tlsopen0"), role: "driver" });
  await store.disconnect();
}

describe("somebody's server with TLS", () => {
  it("is used when an authority that was named vouches for it, by name or by address", async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): unknown => warnings.push(warning.message);
    process.on("warning", listen);
    await open("localhost", made.certificate);
    await open("127.0.0.1", made.certificate);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listen);
    expect(warnings).toEqual([]);
  });

  it("is refused when nobody vouches for it, in words that help", async () => {
    await expect(open("localhost")).rejects.toThrow(
      /not signed by an authority that is trusted .* --kvs-ca FILE/,
    );
    await expect(open("localhost", makeCertificate(["localhost"]).certificate)).rejects.toThrow(
      /--kvs-ca FILE/,
    );
  });

  it("is refused under a name that its certificate has not", async () => {
    await expect(open("127.0.0.2", made.certificate)).rejects.toThrow(/its certificate is for another name/);
  });
});
