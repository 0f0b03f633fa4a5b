import { type MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import {
  type EngineId,
  type ExchangeAnswer,
  type FencingToken,
  type QueuedTask,
  type TaskId,
  contextId,
  encodeEngineInfo,
  encodeReport,
  encodeRunInfo,
  needsKey,
  protocolVersion,
  runId,
  taskId,
} from "@taskmuster/kvs/protocol";
import { type Logger, pino } from "pino";
import { expect, vi } from "vitest";
import { runInfo } from "../../kvs/test/run-info.js";
import { Bell } from "../src/bell.js";
import { DriverCore } from "../src/core/driver-core.js";
import type { Item } from "../src/core/task-file/index.js";
import { Driver } from "../src/driver.js";
import { Feeder } from "../src/feeder.js";
import { LedgerFile } from "../src/ledger-file.js";
import type { RunContext } from "../src/run-context.js";
import { StatusFile } from "../src/status-file.js";
import { report, success } from "./core/driver-rig.js";

const oneCore = needsKey({ cores: 1 });
export const run = runId("drivertest");

/** An engine by hand: one exchange at a time, and its context ends when it is told. */
export class HandEngine {
  readonly context: RunContext;
  readonly #store: MemoryStore;
  readonly #id: EngineId;
  #seq = 0;
  #number = 0;
  #onGone: Parameters<RunContext["onEngineGone"]>[0] = () => undefined;
  #end: (end: { readonly ok: boolean; readonly message: string }) => void = () => undefined;

  constructor(server: MemoryServer, id: EngineId) {
    this.#store = new MemoryStore(server, run);
    this.#id = id;
    const gone = new Promise<{ readonly ok: boolean; readonly message: string }>((resolve) => {
      this.#end = resolve;
    });
    const nothing = (): void => undefined;
    this.context = {
      id: contextId(`of-${id}`),
      startMs: 0,
      engines: [id],
      gone,
      onEngineGone: (listener) => (this.#onGone = listener),
      drop: nothing,
      terminate: nothing,
      kill: nothing,
    };
  }

  /** `info`: what it says of itself, other than usual. */
  async join(
    info: Uint8Array = encodeEngineInfo({
      version: protocolVersion,
      host: "vm",
      pid: 1,
      slots: 1,
      cores: 1,
      endsAt: null,
    }),
  ): Promise<void> {
    await this.#store.join({ engine: this.#id, context: this.context.id, info });
  }

  /** Hands in that these tasks have succeeded, and claims up to `claims`. */
  async exchange(claims: number, ...ended: readonly QueuedTask[]): Promise<ExchangeAnswer> {
    const bodyOf = ({ id, attempt }: QueuedTask): Uint8Array =>
      encodeReport(report(id, success, attempt, "task"));
    return this.say(claims, ...ended.map((task) => ({ ends: task.id, body: bodyOf(task) })));
  }

  /** The same with any reports. */
  async say(
    claims: number,
    ...reports: readonly { readonly ends: TaskId | null; readonly body: Uint8Array }[]
  ): Promise<ExchangeAnswer> {
    return this.#trip(claims, reports, []);
  }

  async release(tasks: readonly QueuedTask[]): Promise<void> {
    await this.#trip(0, [], tasks);
  }

  #trip(
    claims: number,
    reports: readonly { readonly ends: TaskId | null; readonly body: Uint8Array }[],
    releases: readonly QueuedTask[],
  ): Promise<ExchangeAnswer> {
    return this.#store.exchange({
      engine: this.#id,
      seq: ++this.#seq,
      reports: reports.map((each) => ({ number: ++this.#number, ...each })),
      releases,
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
    expect(await this.#store.leave(this.#id, "")).toBe(true);
    this.die("");
  }

  die(message: string): void {
    this.#onGone(this.#id, { ok: message === "", message, proven: true });
    this.#end({ ok: message === "", message });
  }

  async disconnect(): Promise<void> {
    await this.#store.disconnect();
  }
}

export interface DriverRigOptions {
  readonly store: MemoryStore;
  readonly path: (name: string) => string;
  readonly tasks: number;
  readonly contexts: readonly RunContext[];
  readonly serves: boolean;
  readonly onNotice?: (message: string) => void;
  readonly log?: Logger;
}

/** Opens the run; engines can join from then on. */
export async function openRun(store: MemoryStore, prefix: string): Promise<FencingToken> {
  return store.open(encodeRunInfo(runInfo({ prefix })));
}

/** A driver with a list of so many tasks, on a memory store and real files. */
export async function driverOf(options: DriverRigOptions, token: FencingToken): Promise<Driver> {
  const { store, path, tasks, contexts, serves } = options;
  const core = new DriverCore(
    { needs: oneCore, failFast: false, maxLosses: 2, node: "vm", pid: 1 },
    { start: [], stop: [] },
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
    sinks: [],
    statusFile: await StatusFile.create(path("p_status.txt"), { sync: false }),
    ledger: new LedgerFile(path("p_ledger")),
    contexts,
    facts: { name: "t", prefix: path("p"), host: "vm", pid: 1, startedAt: 0, total: tasks, serves },
    log: options.log ?? pino({ level: "silent" }),
    leaseMs: 300_000,
    graceMs: 3000,
    drainsFailing: true,
    onNotice: options.onNotice ?? (() => undefined),
  });
}
