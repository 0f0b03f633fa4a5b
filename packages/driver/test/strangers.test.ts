import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import {
  attempt,
  encodeEngineInfo,
  encodeReport,
  encodeRequest,
  protocolVersion,
  taskId,
} from "@taskmuster/kvs/protocol";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Driver } from "../src/driver.js";
import { alice, bob, report, success } from "./core/driver-rig.js";
import { HandEngine, driverOf, openRun, run } from "./hand-engine.js";
import { usePlace } from "./place.js";

const path = usePlace();
const version: typeof protocolVersion = protocolVersion;
const otherVersion = (version + 1) as typeof version;

describe("what a driver does not understand it refuses, tells once, and goes on", () => {
  let server: MemoryServer;
  let store: MemoryStore;
  let hands: HandEngine[];
  let notices: string[];
  let logged: string[];

  beforeEach(() => {
    server = new MemoryServer();
    store = new MemoryStore(server, run);
    hands = [];
    notices = [];
    logged = [];
  });

  afterEach(async () => {
    for (const hand of hands) await hand.disconnect();
    await store.disconnect();
  });

  async function start(tasks: number): Promise<Driver> {
    const token = await openRun(store, path("p"));
    const onNotice = (message: string): number => notices.push(message);
    const log = pino({ level: "info" }, { write: (line: string) => logged.push(line) });
    return driverOf({ store, path, tasks, contexts: [], serves: true, onNotice, log }, token);
  }

  async function join(id = alice, info?: Uint8Array): Promise<HandEngine> {
    const hand = new HandEngine(server, id);
    hands.push(hand);
    await hand.join(info);
    return hand;
  }

  /** Lines of the log with this in them. */
  const lines = (word: string): readonly string[] => logged.filter((line) => line.includes(word));

  it("reports: the attempt that one is of counts as lost, and is offered again", async () => {
    const driver = await start(3);
    const ended = driver.run();
    const hand = await join();
    const tasks = await hand.claim(3);
    const cutShort = tasks.map(({ id, attempt: tries }) => ({
      ends: id,
      body: encodeReport(report(id, success, tries, "task")).subarray(0, 60),
    }));
    await hand.say(0, ...cutShort);
    await hand.say(0, { ends: null, body: Buffer.from("?") });
    const again = await hand.claim(3);
    expect(again.map((task) => task.attempt)).toEqual([2, 2, 2]);
    await hand.exchange(0, ...again);
    await hand.leave();
    expect(await ended).toMatchObject({ done: 3, lost: 3, reason: { kind: "finished" } });
    expect(lines("refused: report")).toHaveLength(1);
    expect(lines('"count":4')).toHaveLength(1);
    expect(notices.filter((notice) => notice.includes("refused"))).toHaveLength(1);
  });

  it("reports of tasks that there are not", async () => {
    const driver = await start(1);
    const ended = driver.run();
    const hand = await join();
    const stray = encodeReport(report(taskId(77), success, attempt(1), "task"));
    const strayStart = encodeReport(report(taskId(5), success, attempt(1), "start"));
    await hand.say(0, { ends: null, body: stray }, { ends: null, body: strayStart });
    await hand.say(0, { ends: null, body: stray });
    await hand.exchange(0, ...(await hand.claim(1)));
    await hand.leave();
    expect(await ended).toMatchObject({ done: 1, reason: { kind: "finished" } });
    expect(lines("there is no task 77")).toHaveLength(1);
    expect(lines('"count":3')).toHaveLength(1);
  });

  it.each([
    ["of another version", { version: otherVersion, host: "vm", pid: 1, slots: 1, cores: 1, endsAt: null }],
    [
      "whose host would steer a terminal",
      { version, host: "\u001b[2J", pid: 1, slots: 1, cores: 1, endsAt: null },
    ],
  ])("an engine %s: it is told to stop, and others work on", async (_, info) => {
    const driver = await start(2);
    const ended = driver.run();
    const odd = await join(alice, encodeEngineInfo(info));
    const good = await join(bob);
    const { tasks } = await odd.exchange(1);
    await vi.waitFor(async () => expect((await odd.exchange(0)).wanted).toBe("stop"), { timeout: 10_000 });
    await odd.release(tasks);
    await odd.leave();
    for (const task of await good.claim(2)) await good.exchange(0, task);
    await good.leave();
    expect(await ended).toMatchObject({ done: 2, reason: { kind: "finished" } });
    expect(lines("refused: engine info")).toHaveLength(1);
    expect(notices.join()).not.toContain("\u001b");
  });

  it("requests: a thousand of them, and orders to whom there is not", async () => {
    const driver = await start(1);
    const ended = driver.run();
    const hand = await join();
    for (let count = 0; count < 300; count++)
      expect(await store.ask(Buffer.from([count % 256, 1]))).toBe(true);
    const order = { kind: "order", version, wanted: "stop", by: "eve@login" } as const;
    for (let count = 0; count < 5; count++) {
      await store.ask(encodeRequest({ ...order, scope: "engine", name: "nobody000" }));
      await store.ask(encodeRequest({ ...order, scope: "context", name: "nobody" }));
    }
    await store.ask(encodeRequest({ ...order, version: otherVersion, scope: "run", name: "" }));
    await store.ask(encodeRequest({ ...order, scope: "run", name: "x".repeat(60_000) }));
    await vi.waitFor(() => expect(lines("there is no engine nobody000")).toHaveLength(1), {
      timeout: 15_000,
    });
    expect(driver.view.phase).toBe("running");
    await hand.exchange(0, ...(await hand.claim(1)));
    await hand.leave();
    expect(await ended).toMatchObject({ done: 1, reason: { kind: "finished" } });
    expect(lines("refused: request")).toHaveLength(2);
    expect(lines('"from":"somebody","count":302')).toHaveLength(1);
    expect(lines('"from":"eve@login","count":10')).toHaveLength(1);
    expect(lines('"asked"').length).toBeLessThanOrEqual(2);
    expect(logged.length).toBeLessThan(30);
  }, 30_000);
});
