import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { KvsError } from "@taskmuster/kvs";
import { runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import type { KvsAddress } from "@taskmuster/kvs/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestServer, onPath } from "../test-server.js";

const binary = onPath("redis-server");
const secret = "open sesame";

async function refusal(address: Partial<KvsAddress>, waitMs = 0): Promise<string> {
  const full = { addresses: [], private: false, ...address };
  try {
    const store = await connectRedisStore({
      address: full,
      runId: runId("refusal0"),
      role: "driver",
      waitMs,
    });
    await store.disconnect();
  } catch (error) {
    expect(error).toBeInstanceOf(KvsError);
    if (address.password !== undefined) expect(inspect(error, { depth: 9 })).not.toContain(address.password);
    return error instanceof Error ? error.message : "";
  }
  return "none";
}

describe.skipIf(binary === undefined)("connecting to a server that cannot be used", () => {
  const directory = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
  let locked: TestServer;
  beforeAll(async () => {
    locked = await TestServer.start(binary ?? "", ["--requirepass", secret]);
  });
  afterAll(async () => {
    await locked.stop();
    rmSync(directory, { recursive: true });
  });

  it("says where nobody listens, at once", async () => {
    expect(await refusal({ addresses: ["redis://127.0.0.1:1"] })).toMatch(
      /^cannot use the key-value store at redis:\/\/127\.0\.0\.1:1: connection refused; is the server running there\?$/,
    );
    expect(await refusal({ addresses: [`unix://${directory}/none`] })).toMatch(
      /none: there is no such socket/,
    );
    expect(await refusal({ addresses: ["redis://no-such-host.invalid:6379"] })).toMatch(
      /no such host|looked up/,
    );
  });

  it("says what each of several addresses answered", async () => {
    const message = await refusal({ addresses: [`unix://${directory}/none`, "redis://127.0.0.1:1"] });
    expect(message).toMatch(/^cannot reach the run's key-value store from /);
    expect(message).toMatch(/none: there is no such socket.*\n.*:1: connection refused/);
  });

  it("asks for a password, and does not show a wrong one", async () => {
    const { addresses } = locked.address;
    expect(await refusal({ addresses })).toMatch(/wants a password; set TASKMUSTER_KVS_PASSWORD/);
    const wrong = await refusal({ addresses, password: "not the word" });
    expect(wrong).toMatch(/wrong password; look at TASKMUSTER_KVS_PASSWORD/);
    expect(wrong).not.toContain("not the word");
    expect(await refusal({ addresses, password: "hunter2", username: "alice" })).toMatch(
      /wrong password for user alice/,
    );
    expect(await refusal({ addresses, password: secret })).toBe("none");
    expect(await refusal({ addresses, password: secret, username: "default" })).toBe("none");
  });

  it("is not put off by a password that the server does not want, nor tells the world", async () => {
    const open = await TestServer.start(binary ?? "");
    try {
      expect(await refusal({ addresses: open.address.addresses, password: "needless" })).toBe("none");
    } finally {
      await open.stop();
    }
  });

  it("does not wait for a server that will never do", async () => {
    // For longer than a test may take.
    const ever = 600_000;
    expect(await refusal({ addresses: locked.address.addresses }, ever)).toMatch(/wants a password/);
  });

  it("refuses a server that would evict keys", async () => {
    const evicting = await TestServer.start(binary ?? "", ["--maxmemory-policy", "allkeys-lru"]);
    try {
      const message = await refusal({ addresses: evicting.address.addresses });
      expect(message).toMatch(/maxmemory-policy is allkeys-lru.*CONFIG SET maxmemory-policy noeviction/);
    } finally {
      await evicting.stop();
    }
  });

  it("refuses a replica", async () => {
    const replica = await TestServer.start(binary ?? "", ["--replicaof", "127.0.0.1 1"]);
    try {
      expect(await refusal({ addresses: replica.address.addresses })).toMatch(/read-only replica/);
    } finally {
      await replica.stop();
    }
  });

  it("refuses a database that is not there", async () => {
    const [address = ""] = locked.address.addresses;
    expect(await refusal({ addresses: [`${address}?db=99`], password: secret })).toMatch(
      /DB index is out of range/,
    );
  });

  it("waits for a server that is being started", async () => {
    const late = await TestServer.start(binary ?? "");
    try {
      await late.kill();
      expect(await refusal({ addresses: late.address.addresses })).toMatch(/is the server running/);
      const waiting = refusal({ addresses: late.address.addresses }, 20_000);
      await sleep(20);
      await late.restart();
      expect(await waiting).toBe("none");
    } finally {
      await late.stop();
    }
  });

  it("uses the first address that answers", async () => {
    const addresses = ["redis://127.0.0.1:1", `unix://${directory}/none`, ...locked.address.addresses];
    expect(await refusal({ addresses, password: secret })).toBe("none");
  });
});
