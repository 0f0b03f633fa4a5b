import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KvsClosedError, type KvsStore } from "@taskmuster/kvs";
import { attempt, contextId, engineId, needsKey, runId, taskId } from "@taskmuster/kvs/protocol";
import { type ConnectionEvent, connectRedisStore } from "@taskmuster/kvs/redis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Proxy } from "../proxy.js";
import { quietBeat } from "../quiet-beat.js";
import { stopProcess } from "../stop-process.js";
import { TestServer, onPath } from "../test-server.js";

const binary = onPath("redis-server");
const engine = engineId("engine01");
const needs = needsKey({ cores: 1 });

function queued(id: number) {
  return { id: taskId(id), attempt: attempt(1), needs, body: Buffer.from(`task ${id}`) };
}

describe.skipIf(binary === undefined)("a Redis store whose connection breaks", () => {
  const directory = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
  const stores: KvsStore[] = [];
  let server: TestServer;
  let proxy: Proxy;
  let events: ConnectionEvent[] = [];
  let runs = 0;

  beforeAll(async () => {
    server = await TestServer.start(binary ?? "");
  });
  beforeEach(async () => {
    events = [];
    runs++;
    proxy = await Proxy.start(join(directory, `proxy${runs}`), server.socket);
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.disconnect()));
    await proxy.stop();
  });
  afterAll(async () => {
    await server.stop();
    rmSync(directory, { recursive: true });
  });

  async function connect(): Promise<KvsStore> {
    const store = await connectRedisStore({
      address: { addresses: [`unix://${proxy.socket}`], private: false },
      runId: runId(`connection${runs}`),
      role: "engine",
      onEvent: (event) => events.push(event),
    });
    stores.push(store);
    return store;
  }

  async function member() {
    const store = await connect();
    const token = await store.open(Buffer.from(""));
    await store.join({ engine, context: contextId("ctx"), info: Buffer.from("") });
    const claim = (seq: number, max: number) =>
      store.exchange({
        engine,
        seq,
        reports: [],
        releases: [],
        wants: [{ needs, max }],
        maxBytes: 1_000,
        idleSlots: max,
        awaitsAcknowledgement: false,
      });
    return { store, token, claim };
  }

  it("makes a claim once whose answer was lost, and says once that it was down and up", async () => {
    const { store, token, claim } = await member();
    await store.publish(
      token,
      1,
      [0, 1, 2, 3].map((id) => queued(id)),
    );
    await claim(1, 1);
    proxy.answersToLose = 1;
    expect((await claim(2, 2)).tasks.map(({ id }) => id)).toEqual([1, 2]);
    expect((await store.snapshot()).queued).toBe(1);
    expect(events.map(({ kind }) => kind)).toEqual(["down", "up"]);
  });

  it("publishes in order what was under way, each once", async () => {
    const { store, token, claim } = await member();
    proxy.answersToLose = 1;
    const publishes = [1, 2, 3, 4].map((number) => store.publish(token, number, [queued(number)]));
    await Promise.all(publishes);
    expect((await claim(1, 9)).tasks.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  });

  it("keeps trying as long as it takes, with one pair of events for the outage", async () => {
    const { store, token } = await member();
    proxy.refusing = true;
    proxy.cut();
    const connectionsBefore = proxy.connections;
    const beats = [store.beat(token, quietBeat), store.beat(token, quietBeat)];
    await vi.waitFor(() => {
      expect(proxy.connections).toBeGreaterThan(connectionsBefore + 4);
    }, 10_000);
    expect(events.map(({ kind }) => kind)).toEqual(["down"]);
    proxy.refusing = false;
    await Promise.all(beats);
    expect((await store.snapshot()).driverBeat).toBe(2);
    expect(events.map(({ kind }) => kind)).toEqual(["down", "up"]);
    proxy.cut();
    await store.beat(token, quietBeat);
    expect(events.map(({ kind }) => kind)).toEqual(["down", "up", "down", "up"]);
  });

  it("comes back by itself, though nobody asks anything", async () => {
    await member();
    proxy.cut();
    await vi.waitFor(() => {
      expect(events.map(({ kind }) => kind)).toEqual(["down", "up"]);
    }, 10_000);
  });

  it("rejects what waits for a connection when it is disconnected", async () => {
    const { store, token } = await member();
    proxy.refusing = true;
    proxy.cut();
    const waiting = expect(store.beat(token, quietBeat)).rejects.toThrow(KvsClosedError);
    await vi.waitFor(() => {
      expect(events).toHaveLength(1);
    });
    await store.disconnect();
    await waiting;
  });

  it("counts a bell as rung when its connection broke: the ring may have been lost with it", async () => {
    const { store } = await member();
    await store.waitForBell(engine, 1);
    const waiting = store.waitForBell(engine, 30_000);
    await vi.waitFor(async () => {
      expect(await server.strings("CLIENT", "LIST").then(String)).toMatch(/cmd=blpop/);
    });
    proxy.cut();
    expect(await waiting).toBe("rung");
  });

  it("throws the bell's connection away when the server does not answer in time", async () => {
    const { store } = await member();
    await store.waitForBell(engine, 1);
    await stopProcess(server.pid);
    try {
      expect(await store.waitForBell(engine, 50)).toBe("timeout");
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    const before = proxy.connections;
    expect(await store.waitForBell(engine, 1)).toBe("timeout");
    expect(proxy.connections).toBeGreaterThan(before);
  });

  it("does not mind when the server forgets its scripts", async () => {
    const { store, token, claim } = await member();
    await store.publish(token, 1, [queued(0)]);
    await server.command("SCRIPT", "FLUSH");
    await store.publish(token, 2, [queued(1)]);
    await server.command("SCRIPT", "FLUSH");
    expect((await claim(1, 5)).tasks).toHaveLength(2);
  });

  it("keeps no connection after it was disconnected", async () => {
    const { store } = await member();
    await store.waitForBell(engine, 1);
    await store.disconnect();
    await vi.waitFor(async () => {
      expect(String(await server.command("CLIENT", "LIST"))).not.toMatch(/name=taskmuster/);
    });
  });
});
