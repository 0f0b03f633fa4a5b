import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TaskmusterError } from "@taskmuster/kvs";
import { parseKvsServerOption } from "@taskmuster/kvs/server";
import { makeCertificate } from "../../src/server/certificate.js";
import { afterAll, describe, expect, it } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe("--kvsserver", () => {
  it.each([
    ["host:6379", ["redis://host:6379"]],
    ["10.1.2.3:1", ["redis://10.1.2.3:1"]],
    ["[::1]:6379", ["redis://[::1]:6379"]],
    ["redis://host:7000/2", ["redis://host:7000/2"]],
    ["rediss://host", ["rediss://host"]],
    ["unix:///run/redis.sock?db=4", ["unix:///run/redis.sock?db=4"]],
  ])("understands %s", (text, addresses) => {
    expect(parseKvsServerOption(text, {})).toEqual({ addresses, private: false });
  });

  it("takes a user's name from the URL", () => {
    expect(parseKvsServerOption("redis://al%20ice@host:1/3", {})).toEqual({
      addresses: ["redis://host:1/3"],
      username: "al ice",
      private: false,
    });
  });

  it("takes the password from the environment, or from a file", () => {
    const file = join(directory, "secret");
    writeFileSync(file, "from the file\r\nsecond line\n");
    expect(parseKvsServerOption("host:1", { TASKMUSTER_KVS_PASSWORD: "from env" }).password).toBe("from env");
    expect(parseKvsServerOption("host:1", { TASKMUSTER_KVS_PASSWORD_FILE: file }).password).toBe(
      "from the file",
    );
    const both = { TASKMUSTER_KVS_PASSWORD: "from env", TASKMUSTER_KVS_PASSWORD_FILE: file };
    expect(parseKvsServerOption("host:1", both).password).toBe("from env");
    expect(parseKvsServerOption("host:1", { TASKMUSTER_KVS_PASSWORD: "" }).password).toBeUndefined();
    writeFileSync(file, "");
    expect(() => parseKvsServerOption("host:1", { TASKMUSTER_KVS_PASSWORD_FILE: file })).toThrow(
      /empty file/,
    );
    expect(() => parseKvsServerOption("host:1", { TASKMUSTER_KVS_PASSWORD_FILE: `${file}x` })).toThrow(
      /cannot read/,
    );
    writeFileSync(file, "x".repeat(5_000));
    for (const endless of [file, "/dev/zero"]) {
      expect(() => parseKvsServerOption("host:1", { TASKMUSTER_KVS_PASSWORD_FILE: endless })).toThrow(
        /too long for a password/,
      );
    }
    expect(() => parseKvsServerOption("host:1", { TASKMUSTER_KVS_PASSWORD_FILE: directory })).toThrow(
      /cannot read.*EISDIR/,
    );
  });

  it.each([
    "redis://user:hunter2@host:1",
    "redis://:hunter2@host",
    "rediss://u:hunter2@host:1/0",
    "redis://u:1/hunter2@host:1",
    "redis://u:a@/hunter2@host",
    "redis://u:hunter2@",
  ])("refuses a password that everybody can see: %s", (text) => {
    expect(() => parseKvsServerOption(text, {})).toThrow(
      /TASKMUSTER_KVS_PASSWORD.*TASKMUSTER_KVS_PASSWORD_FILE/,
    );
    expect(() => parseKvsServerOption(text, {})).not.toThrow(/hunter2/);
  });

  it("takes the authorities that vouch for a server with TLS from a file", () => {
    const { certificate, key } = makeCertificate([]);
    const file = join(directory, "ca.pem");
    writeFileSync(file, `# ours\n${certificate}${key}${certificate}`);
    const taken = parseKvsServerOption("rediss://host:1", {}, file).certificate;
    expect(taken).toBe(certificate + certificate);
    expect(parseKvsServerOption("rediss://host:1", { TASKMUSTER_KVS_CA_FILE: file }).certificate).toBe(taken);
    expect(parseKvsServerOption("host:1", { TASKMUSTER_KVS_CA_FILE: file }).certificate).toBeUndefined();
    expect(() => parseKvsServerOption("host:1", {}, file)).toThrow(/--kvs-ca is for a server with TLS/);
    expect(() => parseKvsServerOption("rediss://host:1", {}, `${file}x`)).toThrow(
      /--kvs-ca: cannot read .*ENOENT/,
    );
    writeFileSync(file, key);
    expect(() => parseKvsServerOption("rediss://host:1", {}, file)).toThrow(/holds no certificate/);
    writeFileSync(file, certificate.replace("\nMII", "\nAII"));
    expect(() => parseKvsServerOption("rediss://host:1", {}, file)).toThrow(/cannot be read/);
    writeFileSync(file, certificate.repeat(200));
    expect(() => parseKvsServerOption("rediss://host:1", {}, file)).toThrow(/too many certificates/);
  });

  it.each([
    "host",
    "",
    ":1",
    "host:",
    "host:0",
    "host:99999",
    "host:port",
    "http://host:1",
    "unix://x/y",
    "a b:1",
    "::1",
    "redis://h/x",
  ])("refuses %j", (text) => {
    try {
      parseKvsServerOption(text, {});
      expect.fail("it was accepted");
    } catch (error) {
      expect(error).toBeInstanceOf(TaskmusterError);
      expect(error).toMatchObject({
        code: "E_USAGE",
        message: expect.stringMatching(/^--kvsserver: /) as string,
      });
    }
  });
});
