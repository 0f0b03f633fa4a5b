import { type NeedsKey, type QueuedTask, type RunInfo, readTask } from "@taskmuster/kvs/protocol";
import { Capacity } from "./capacity.js";
import { ClaimSize } from "./claim-size.js";
import type { EnginePort, EngineSettings } from "./engine-port.js";
import { type EnginePlace, slotEnvironment, taskEnvironment } from "./environment.js";
import { refusedEnd } from "./refused-task.js";
import type { Situation, StoreTalk } from "./store-talk.js";
import type { TaskEnds } from "./task-ends.js";
import type { Launched } from "./task-report.js";

/** What the store has told an engine that joined. */
export interface JoinedRun {
  readonly rank: number;
  readonly run: RunInfo;
  readonly needs: readonly NeedsKey[];
}

type Command = RunInfo["perEngine"]["start"][number];

/**
 * What an engine has claimed and not ended: it waits here, as tasks must not start now, or is launched. Slots are the launcher's: what is
 * enqueued beyond them waits there, so that a slot has its next task without us.
 */
export class Workload {
  readonly #port: EnginePort;
  readonly #settings: EngineSettings;
  readonly #run: RunInfo;
  readonly #place: EnginePlace;
  readonly #ends: TaskEnds;
  readonly #talk: StoreTalk;
  readonly #claimSize: ClaimSize;
  readonly #capacity: Capacity;
  readonly #waiting: QueuedTask[] = [];
  readonly #launched = new Map<number, Launched>();
  /** Among them, those that have a slot or wait for one. */
  #enqueued = 0;
  #nextTag = 1;

  constructor(
    settings: EngineSettings,
    { rank, run }: JoinedRun,
    parts: { readonly port: EnginePort; readonly ends: TaskEnds; readonly talk: StoreTalk },
  ) {
    this.#settings = settings;
    this.#run = run;
    this.#place = { engineRank: rank, coresPerTask: settings.coresPerTask };
    this.#port = parts.port;
    this.#ends = parts.ends;
    this.#talk = parts.talk;
    this.#claimSize = new ClaimSize(settings.slots, settings.mostAhead);
    this.#capacity = new Capacity(settings.slots);
  }

  /** Nothing is launched, tasks or commands. */
  get isIdle(): boolean {
    return this.#launched.size === 0;
  }

  /** Nor does anything wait here. */
  get isEmpty(): boolean {
    return this.#launched.size === 0 && this.#waiting.length === 0;
  }

  /** Grows with everything that is launched. */
  get launches(): number {
    return this.#nextTag - 1;
  }

  get busySlots(): number {
    return Math.min(this.#enqueued, this.#settings.slots);
  }

  get capacity(): Pick<Capacity, "out" | "usable" | "limit"> {
    return this.#capacity;
  }

  /** Claimed, and without a slot. */
  get ahead(): number {
    return this.#queueLength + this.#waiting.length;
  }

  /** All that is claimed and that nobody was told the end of. */
  get claims(): readonly QueuedTask[] {
    const here = [...this.#launched.values(), ...this.#ends.held];
    return [...this.#waiting, ...here.flatMap(({ queued }) => queued ?? [])];
  }

  add(tasks: readonly QueuedTask[]): void {
    for (const task of tasks) this.#waiting.push(task);
  }

  /** Before all others that wait. */
  addFirst(tasks: readonly QueuedTask[]): void {
    this.#waiting.unshift(...tasks);
  }

  /** At once and in no slot: a PERENGINE command. */
  launch(kind: "start" | "stop", id: number, { line, command }: Command): void {
    const tag = this.#nextTag++;
    this.#launched.set(tag, { kind, id, attempt: 1, queued: null });
    this.#port.launch(tag, command, {
      ...slotEnvironment(this.#run, this.#place, -1),
      ...taskEnvironment({ id, line, repeatIndex: -1 }),
      ...this.#settings.perEngineEnv,
    });
  }

  /** What waits, unless it would die at once. `nowSeconds` since 1970, for what cannot be read. */
  enqueueWaiting(nowSeconds: number): void {
    if (this.#waiting.length === 0 || this.#ends.suspectsSignal) return;
    if (this.#capacity.isTight)
      this.#talk.release(this.#waiting.splice(Math.max(0, this.#capacity.limit - this.#enqueued)));
    for (const queued of this.#waiting.splice(0)) {
      const task = readTask(queued.id, queued.attempt, queued.body);
      const tag = this.#nextTag++;
      if ("refused" in task) {
        const { id, attempt } = queued;
        const launched: Launched = { kind: "task", id, attempt, queued };
        this.#ends.add(launched, refusedEnd(tag, task.refused, nowSeconds));
        continue;
      }
      this.#launched.set(tag, { kind: "task", id: task.id, attempt: task.attempt, queued });
      this.#enqueued++;
      this.#port.enqueue(tag, task.command, taskEnvironment(task), task.timeoutMs);
    }
  }

  /** For others. What is enqueued and has no slot comes back through `onRecalled`. */
  releaseWaiting(): void {
    this.#talk.release(this.#waiting.splice(0));
    if (this.#queueLength > 0) this.#port.recall();
  }

  /** Launched no more. */
  take(tag: number): Launched | undefined {
    const task = this.#launched.get(tag);
    if (task === undefined) return undefined;
    this.#launched.delete(tag);
    if (task.kind === "task") this.#enqueued--;
    return task;
  }

  /** Stops what runs now; `graceMs` from TERM to KILL. */
  stop(graceMs: number): void {
    this.#port.recall();
    for (const tag of this.#launched.keys()) this.#port.stop(tag, graceMs);
  }

  /** A task that has ended ran for so long. */
  taskTook(ms: number): void {
    this.#claimSize.taskTook(ms);
  }

  /** What runs is longer than it seemed: what waits goes back to where an idle engine can take it. */
  onStuck(): void {
    this.#claimSize.forgetTasks();
    this.releaseWaiting();
  }

  /** The node has not started something, as it is out of `out`. */
  onRefused(out: string): void {
    this.#capacity.refused(this.busySlots, out);
    if (this.#queueLength > 0) this.#port.recall();
  }

  /** To be called once a second. True: there is more room than before. */
  onSecond(): boolean {
    return this.#capacity.onSecond();
  }

  /** What the next exchange may claim. */
  get slots(): Situation["slots"] {
    const free = Math.max(0, this.#capacity.limit - this.busySlots);
    const ahead = this.#capacity.isTight ? 0 : this.#claimSize.ahead;
    return { free, room: free + ahead - this.ahead };
  }

  /** Enough short tasks wait here: their reports can share a trip. */
  get canWait(): boolean {
    if (this.#enqueued < this.#settings.slots || this.#capacity.isTight) return false;
    return (
      this.ahead > this.#claimSize.ahead * waitsAbove &&
      this.#talk.reportsWaiting < this.#settings.maxReports / 2
    );
  }

  /** Enqueued, and without a slot. */
  get #queueLength(): number {
    return this.#enqueued - this.busySlots;
  }
}

/** Reports wait for others as long as more than this part of what shall be ahead is still there. */
const waitsAbove = 1 / 4;
