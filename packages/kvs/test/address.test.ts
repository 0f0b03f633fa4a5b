import { KvsError } from "@taskmuster/kvs";
import { parseEndpoint, withoutSecret } from "@taskmuster/kvs/server";
import { describe, expect, it } from "vitest";

describe("an address", () => {
  it.each([
    ["redis://host:1234", { kind: "tcp", host: "host", port: 1234, tls: false, db: 0 }],
    ["redis://host", { kind: "tcp", host: "host", port: 6379, tls: false, db: 0 }],
    ["rediss://10.0.0.1:1/7", { kind: "tcp", host: "10.0.0.1", port: 1, tls: true, db: 7 }],
    ["redis://[fe80::1]:99", { kind: "tcp", host: "fe80::1", port: 99, tls: false, db: 0 }],
    ["unix:///tmp/a%20b/s", { kind: "unix", path: "/tmp/a b/s", db: 0 }],
    ["unix:///tmp/s?db=3", { kind: "unix", path: "/tmp/s", db: 3 }],
  ])("%s is understood", (text, expected) => {
    expect(parseEndpoint(text)).toMatchObject(expected);
  });

  it.each([
    "http://host",
    "redis://",
    "unix://host/path",
    "unix://",
    "host:1",
    "",
    "redis://host/x",
    "redis://host:99999",
  ])("%s is refused", (text) => {
    expect(() => parseEndpoint(text)).toThrow(KvsError);
  });

  it("never shows a secret", () => {
    expect(withoutSecret("redis://user:p@ss@host:1/2")).toBe("redis://host:1/2");
    expect(parseEndpoint("redis://user:pass@host:1").text).toBe("redis://host:1");
    expect(() => parseEndpoint("redis://user:pass@host:1/x")).toThrow(/^(?!.*pass)/);
  });
});
