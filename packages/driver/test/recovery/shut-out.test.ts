import { FencedError, KvsLostError } from "@taskmuster/kvs";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import { contextId, engineId, runId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { shutOut } from "../../src/recovery/shut-out.js";

const run = runId("shutoutrun");
const info = Buffer.from("info");
const reopening = { above: 7, nonce: "the driver of before", ranks: 1 };
const engine = {
  engine: engineId("engine01"),
  context: contextId("c"),
  info,
  rank: 0,
  seq: 1,
  acknowledged: 0,
  claimed: 0,
  claims: [],
  last: true,
};

describe("a run that a store has forgotten, and whose driver was replaced", () => {
  it("is not opened by that driver any more, and its engines are told to stop", async () => {
    const server = new MemoryServer();
    const shut = await shutOut(new MemoryStore(server, run));
    await expect(new MemoryStore(server, run).open(info, reopening)).rejects.toThrow(FencedError);
    expect(await new MemoryStore(server, run).announce(engine)).toMatchObject({ wanted: "stop" });
    expect(await new MemoryStore(server, run).join(engine)).toMatchObject({ kind: "joined" });
    await shut.check();
    await shut.end();
    expect(server.runs.size).toBe(0);
  });

  it("is that driver's when it was faster, also where the store has old data", async () => {
    const server = new MemoryServer();
    await new MemoryStore(server, run).open(info);
    server.restore(server.snapshot());
    const store = new MemoryStore(server, run);
    await new MemoryStore(server, run).open(info, reopening);
    await expect(shutOut(store)).rejects.toThrow(FencedError);
  });

  it("may be forgotten once more", async () => {
    const server = new MemoryServer();
    const shut = await shutOut(new MemoryStore(server, run));
    server.forget();
    await expect(shut.check()).rejects.toThrow(KvsLostError);
    await shut.end();
  });
});
