import { KvsError } from "@taskmuster/kvs";
import { describe, expect, it } from "vitest";
import { checkServerInfo, parseServerInfo } from "../../src/redis/server-info.js";

const runId = "f".repeat(40);

function info(fields: Record<string, string>): string {
  const all = { run_id: runId, role: "master", maxmemory_policy: "noeviction", ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}:${value}`);
  return `# Server\r\n${lines.join("\r\n")}\r\n\r\n# Clients\r\nconnected_clients:1\r\n`;
}

function check(fields: Record<string, string>): void {
  checkServerInfo(parseServerInfo(info(fields)));
}

describe("what a server says of itself", () => {
  it("names Redis and Valkey", () => {
    expect(parseServerInfo(info({ redis_version: "7.0.15" }))).toEqual({
      runId,
      name: "Redis 7.0.15",
      version: "7.0.15",
      evictionPolicy: "noeviction",
      replica: false,
      loading: false,
    });
    const valkey = parseServerInfo(info({ redis_version: "7.2.4", valkey_version: "8.1.0", loading: "1" }));
    expect(valkey).toMatchObject({ name: "Valkey 8.1.0", version: "7.2.4", loading: true });
  });

  it.each(["6.2", "6.2.0", "6.2.14", "7.0.15", "7.2.4", "8.0", "10.0.0", "6.10.1"])(
    "accepts %s",
    (redis_version) => {
      expect(() => {
        check({ redis_version });
      }).not.toThrow();
    },
  );

  it.each(["6.0.16", "5.0.7", "2.8.0", "6.1.240", "garbage"])("refuses %s as too old", (redis_version) => {
    expect(() => {
      check({ redis_version });
    }).toThrow(/at least Redis 6\.2, or any Valkey/);
  });

  it("refuses every policy but noeviction", () => {
    expect(() => {
      check({ redis_version: "7.0.0", maxmemory_policy: "volatile-ttl" });
    }).toThrow(/volatile-ttl/);
  });

  it("refuses a server without which a restart could not be noticed", () => {
    expect(() => parseServerInfo(info({ redis_version: "7.0.0", run_id: "0".repeat(40) }))).toThrow(/run_id/);
    expect(() => parseServerInfo("redis_version:7.0.0\r\n")).toThrow(/run_id/);
    expect(() => parseServerInfo("hello")).toThrow(KvsError);
  });
});
