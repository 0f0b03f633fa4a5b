import { readFileSync } from "node:fs";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import {
  type EngineId,
  type ExchangeAnswer,
  type QueuedTask,
  contextId,
  encodeEngineInfo,
  encodeReport,
  encodeRunInfo,
  needsKey,
  protocolVersion,
  runId,
  taskId,
} from "@taskmuster/kvs/protocol";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Bell } from "../src/bell.js";
import { DriverCore } from "../src/core/driver-core.js";
import type { Item } from "../src/core/task-file/index.js";
import { Driver } from "../src/driver.js";
import type { RunContext } from "../src/run-context.js";
import { Feeder } from "../src/feeder.js";
import { LedgerFile } from "../src/ledger-file.js";
import { StatusFile } from "../src/status-file.js";
import { alice, bob, report, success } from "./core/driver-rig.js";
import { usePlace } from "./place.js";

const path = usePlace();
const oneCore = needsKey({ cores: 1 });
const run = runId("drivertest");

/** An engine by hand: one exchange at a time, and its context ends when it is told. */
class HandEngine {
  readonly context: RunContext;
  readonly #store: MemoryStore;
  readonly #id: EngineId;
  #seq = 0;
  #number = 0;
  #end: (end: { readonly ok: boolean; readonly message: string }) => void = () => undefined;

  constructor(server: MemoryServer, id: EngineId) {
    this.#store = new MemoryStore(server, run);
    this.#id = id;
    const gone = new Promise<{ readonly ok: boolean; readonly message: string }>((resolve) => {
      this.#end = resolve;
    });
    const nothing = (): void => undefined;
    this.context = { id: contextId(`of-${id}`), taskLimit: null, gone, terminate: nothing, kill: nothing };
  }

  async join(): Promise<void> {
    const info = encodeEngineInfo({ version: protocolVersion, host: "vm", pid: 1, slots: 1, cores: 1 });
    await this.#store.join({ engine: this.#id, context: this.context.id, info });
  }

  /** Hands in that these tasks have succeeded, and claims up to `claims`. */
  async exchange(claims: number, ...ended: readonly QueuedTask[]): Promise<ExchangeAnswer> {
    return this.#store.exchange({
      engine: this.#id,
      seq: ++this.#seq,
      reports: ended.map(({ id, attempt }) => ({
        number: ++this.#number,
        ends: id,
        body: encodeReport(report(id, success, attempt, "task")),
      })),
      releases: [],
      wants: claims === 0 ? [] : [{ needs: oneCore, max: claims }],
      maxBytes: 1_000_000,
      idleSlots: claims,
      awaitsAcknowledgement: true,
    });
  }

  async claim(count: number): Promise<readonly QueuedTask[]> {
    const tasks: QueuedTask[] = [];
    await vi.waitFor(async () => {
      tasks.push(...(await this.exchange(count - tasks.length)).tasks);
      expect(tasks).toHaveLength(count);
    });
    return tasks;
  }

  /** Goes when all that it handed in is acknowledged. */
  async leave(): Promise<void> {
    await vi.waitFor(async () => expect((await this.exchange(0)).acknowledged).toBe(this.#number));
    expect(await this.#store.leave(this.#id)).toBe(true);
    this.die("");
  }

  die(message: string): void {
    this.#end({ ok: message === "", message });
  }

  async disconnect(): Promise<void> {
    await this.#store.disconnect();
  }
}

describe("Driver", () => {
  let server: MemoryServer;
  let store: MemoryStore;
  let hands: HandEngine[];

  beforeEach(() => {
    server = new MemoryServer();
    store = new MemoryStore(server, run);
    hands = [];
  });

  afterEach(async () => {
    for (const hand of hands) await hand.disconnect();
    await store.disconnect();
  });

  async function start(tasks: number, engines: readonly EngineId[]): Promise<Driver> {
    const names = { jobId: "j", nameTasks: "t", cwd: "/", prefix: path("p") };
    const perEngine = { start: [], stop: [] };
    const token = await store.open(
      encodeRunInfo({ version: protocolVersion, ...names, leaseMs: 300_000, graceMs: 3000, perEngine }),
    );
    hands = engines.map((id) => new HandEngine(server, id));
    for (const hand of hands) await hand.join();
    const core = new DriverCore(
      { needs: oneCore, failFast: false, maxLosses: 2, node: "vm", pid: 1 },
      perEngine,
    );
    const first = Array.from({ length: tasks }, (_, id): Item => {
      return {
        kind: "task",
        id: taskId(id),
        line: id + 1,
        repeatIndex: -1,
        command: Buffer.from(`echo ${id}`),
      };
    });
    const source = { name: "t", read: () => Promise.resolve([]), close: () => Promise.resolve() };
    const room = new Bell();
    return new Driver({
      store,
      token,
      core,
      feeder: new Feeder({ core, source, first, resume: null, room, onNotice: () => undefined }),
      room,
      statusFile: await StatusFile.create(path("p_status.txt"), { sync: false }),
      ledger: new LedgerFile(path("p_ledger")),
      contexts: hands.map(({ context }) => context),
      log: pino({ level: "silent" }),
      leaseMs: 300_000,
      graceMs: 3000,
      onNotice: () => undefined,
    });
  }

  /** Flags and id of each row. */
  function rows(): readonly string[] {
    const lines = readFileSync(path("p_status.txt"), "utf8").split("\n").slice(0, -1);
    return lines.map((line) => line.split("\t").slice(0, 2).join("|"));
  }

  it("works a list through, and ends as soon as its last context is gone", async () => {
    const driver = await start(40, [alice]);
    const ended = driver.run();
    const [hand] = hands;
    // More than are published at a time before the driver knows how fast they end.
    for (let round = 0; round < 4; round++) await hand?.exchange(0, ...((await hand.claim(10)) ?? []));
    const began = performance.now();
    await hand?.leave();
    const view = await ended;
    // Not after the ten seconds for which it waits for a bell.
    expect(performance.now() - began).toBeLessThan(5000);
    expect(view).toMatchObject({ done: 40, phase: "ended", reason: { kind: "finished" } });
    expect(rows()).toEqual(Array.from({ length: 40 }, (_, id) => `    |${id}`));
    expect(readFileSync(path("p_ledger"), "utf8")).toContain('"kind":"end"');
    expect(readFileSync(path("p_ledger"), "utf8")).toContain('"reason":"finished","done":40');
  });

  it("has a row on disk before its report is acknowledged", async () => {
    const driver = await start(1, [alice]);
    const ended = driver.run();
    const [hand] = hands;
    await hand?.exchange(0, ...((await hand.claim(1)) ?? []));
    await vi.waitFor(async () => expect((await hand?.exchange(0))?.acknowledged).toBe(1));
    expect(rows()).toEqual(["    |0"]);
    await hand?.leave();
    await ended;
  });

  it("offers the tasks of a dead context again, and takes a late success while nobody has claimed the new offer", async () => {
    const driver = await start(1, [alice, bob]);
    const ended = driver.run();
    const [first, second] = hands;
    const tasks = (await first?.claim(1)) ?? [];
    first?.die("engine ended with signal SIGKILL");
    await vi.waitFor(async () => expect((await store.snapshot()).queued).toBe(1));
    await first?.exchange(0, ...tasks);
    await vi.waitFor(() => expect(driver.view.done).toBe(1));
    expect((await store.snapshot()).queued).toBe(0);
    await second?.leave();
    expect((await ended).reason).toEqual({ kind: "finished" });
    expect(rows()).toEqual(["    |0"]);
    expect(readFileSync(path("p_ledger"), "utf8")).toContain(
      '"why":"engine ended with signal SIGKILL","tasks":[{"id":0,"attempt":1}]',
    );
  });

  it("flags a late success when another engine has claimed the new offer", async () => {
    const driver = await start(1, [alice, bob]);
    const ended = driver.run();
    const [first, second] = hands;
    const tasks = (await first?.claim(1)) ?? [];
    first?.die("killed");
    const again = (await second?.claim(1)) ?? [];
    expect(again.map(({ id, attempt }) => [id, attempt])).toEqual([[0, 2]]);
    await first?.exchange(0, ...tasks);
    await vi.waitFor(() => expect(rows()).toEqual(["   Z|0"]));
    await second?.exchange(0, ...again);
    await second?.leave();
    expect((await ended).done).toBe(1);
    expect(rows()).toEqual(["   Z|0", "    |0"]);
  });

  it("says that no engine is left when the last context dies with work to do", async () => {
    const driver = await start(2, [alice]);
    const ended = driver.run();
    await hands[0]?.claim(1);
    hands[0]?.die("engine ended with exit status 1: no perl");
    expect((await ended).reason).toEqual({
      kind: "noEngines",
      message: "engine ended with exit status 1: no perl",
    });
    expect(rows()).toEqual([]);
  });

  it("ends when another driver takes the run over, and writes nothing more", async () => {
    const driver = await start(1, [alice]);
    const ended = driver.run();
    const [hand] = hands;
    const tasks = (await hand?.claim(1)) ?? [];
    const other = new MemoryStore(server, run);
    await other.open(new Uint8Array(0));
    await hand?.exchange(0, ...tasks);
    await vi.waitFor(() => expect(driver.view.reason?.kind).toBe("broken"));
    hand?.die("");
    expect((await ended).reason).toMatchObject({
      kind: "broken",
      message: "another driver has taken this run over",
    });
    expect(rows()).toEqual([]);
    await other.disconnect();
  });
});
