import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KvsStore, NumberedReport } from "@taskmuster/kvs";
import {
  type EngineId,
  attempt,
  contextId,
  engineId,
  needsKey,
  runId,
  taskId,
} from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Proxy } from "../proxy.js";
import { TestServer, onPath } from "../test-server.js";

const binary = onPath("redis-server");
const needs = needsKey({ cores: 1 });
const count = 12_000;

/** Of its own length and content for each task, so that no two can be taken for one another. */
function bodyOf(id: number): Buffer {
  return Buffer.alloc(8 + (id % 700), `${id} `);
}

describe.skipIf(binary === undefined)("many tasks over connections that break all the time", () => {
  const directory = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
  let server: TestServer;
  let proxy: Proxy;
  const stores: KvsStore[] = [];

  beforeAll(async () => {
    server = await TestServer.start(binary ?? "");
    proxy = await Proxy.start(join(directory, "proxy"), server.socket);
  });
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.disconnect()));
    await proxy.stop();
    await server.stop();
    rmSync(directory, { recursive: true });
  });

  async function connect(): Promise<KvsStore> {
    const address = { addresses: [`unix://${proxy.socket}`], private: false };
    const store = await connectRedisStore({
      address,
      runId: runId("breaking"),
      role: "engine",
      waitMs: 20_000,
    });
    stores.push(store);
    return store;
  }

  /** Claims and reports until it has nothing left of what `total` engines have done. */
  async function work(engine: EngineId, isOver: () => boolean): Promise<void> {
    const store = await connect();
    await store.join({ engine, context: contextId("ctx"), info: Buffer.alloc(0) });
    let [seq, number] = [0, 0];
    let reports: NumberedReport[] = [];
    while (!isOver() || reports.length > 0) {
      const { tasks } = await store.exchange({
        engine,
        seq: ++seq,
        reports,
        releases: [],
        wants: [{ needs, max: 1 + (seq % 150) }],
        maxBytes: 1_000_000,
        idleSlots: 150,
        awaitsAcknowledgement: false,
      });
      for (const { id, body } of tasks)
        if (Buffer.compare(bodyOf(id), body) !== 0) throw new Error(`task ${id} has another one's body`);
      reports = tasks.map(({ id }) => ({ number: ++number, ends: id, body: bodyOf(id) }));
      if (tasks.length === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it("loses, doubles and mixes up nothing", async () => {
    const driver = await connect();
    const token = await driver.open(Buffer.alloc(0));
    const received: number[] = [];
    const breaks = setInterval(() => {
      if (Math.random() < 0.3) proxy.cut();
      else proxy.answersToLose = 1;
    }, 15);
    const publishing = (async () => {
      let number = 0;
      for (let from = 0; from < count; from += 500) {
        const tasks = Array.from({ length: 500 }, (_, index) => from + index).map((id) => {
          return { id: taskId(id), attempt: attempt(1), needs, body: bodyOf(id) };
        });
        // Two at once: the second waits for its turn.
        const first = driver.publish(token, ++number, tasks.slice(0, 250));
        await Promise.all([first, driver.publish(token, ++number, tasks.slice(250))]);
      }
    })();
    const receiving = (async () => {
      let position = 0;
      while (received.length < count) {
        const { from, reports } = await driver.receive(token, 700, position);
        expect(from).toBe(position);
        for (const { body } of reports) {
          const id = Number.parseInt(Buffer.from(body).toString(), 10);
          expect(Buffer.compare(bodyOf(id), body)).toBe(0);
          received.push(id);
        }
        position += reports.length;
        // Sometimes only a part, and sometimes later.
        if (position % 3 !== 0) await driver.acknowledge(token, position - (position % 7));
      }
      await driver.acknowledge(token, count);
    })();
    const isOver = (): boolean => received.length >= count;
    const working = ["engine01", "engine02"].map((name) => work(engineId(name), isOver));
    try {
      await Promise.all([publishing, receiving, ...working]);
    } finally {
      clearInterval(breaks);
    }
    expect(received.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, id) => id));
    expect(await driver.snapshot()).toMatchObject({ queued: 0, reports: 0 });
    expect(proxy.connections).toBeGreaterThan(10);
  }, 60_000);
});
