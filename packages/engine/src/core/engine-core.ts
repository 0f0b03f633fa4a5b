import {
  type EngineStats,
  type ExchangeAnswer,
  type NeedsKey,
  type Outcome,
  type QueuedTask,
  type Report,
  type RunInfo,
  type Wanted,
  attempt,
  decodeTask,
  encodeReport,
  taskId,
} from "@taskmuster/kvs/protocol";
import { ClaimSize } from "./claim-size.js";
import { taskEnvironment } from "./environment.js";
import type { EnginePort, EngineSettings, TaskEnd } from "./engine-port.js";
import { ReportOutbox } from "./report-outbox.js";
import { SlotPool } from "./slots.js";

export type { EnginePort, EngineSettings, TaskEnd } from "./engine-port.js";

/*
 * The life of an engine, without sockets, processes or clocks. What goes in: what was joined, answers
 * of exchanges, ends of tasks, orders. What comes out goes through `EnginePort`.
 *
 *   starting ──(START commands done)──> running ──(drain)──> draining ──(idle)──> finishing ──(STOP commands done,
 *      │                                   │                    │                     all acknowledged)──> left
 *      └──────────────(stop)───────────────┴───(stop)───────────┴──> stopping ──(trees gone, acknowledged)──> left
 *
 * Only this class changes the phase. Invariants: never more than `slots` tasks run; a claimed task is in
 * exactly one of waiting, running, or handed in (a report or a release that some exchange carries).
 */

interface Running {
  readonly kind: Report["kind"];
  readonly id: number;
  readonly attempt: number;
  readonly slot: number | null;
}

type Phase = "starting" | "running" | "draining" | "finishing" | "stopping" | "left";

export class EngineCore {
  readonly #port: EnginePort;
  readonly #settings: EngineSettings;
  readonly #run: RunInfo;
  readonly #rank: number;
  readonly #slots: SlotPool;
  readonly #claimSize: ClaimSize;
  readonly #waiting: QueuedTask[] = [];
  readonly #running = new Map<number, Running>();
  readonly #reports = new ReportOutbox();
  readonly #releases: QueuedTask[] = [];
  #needs: readonly NeedsKey[];
  #phase: Phase = "starting";
  #nextCommand = 0;
  #nextTag = 1;
  #nextSeq = 1;
  #exchanging = false;
  /** The queues may hold something: nobody has looked since the bell rang, or the last claim got all it wanted. */
  #mayClaim = true;
  /**
   * The acknowledgements that a leaving engine waits for may be in: the bell has rung, or nothing has told the store
   * yet that it waits for them.
   */
  #askAcknowledged = false;
  /** The bell rang and nobody has looked why: tasks, an order, or acknowledgements. */
  #rung = false;
  /** A reminder is under way, and so many tasks had been started when it was asked for. */
  #reminder: number | null = null;
  #done = 0;
  #failed = 0;

  constructor(
    settings: EngineSettings,
    port: EnginePort,
    joined: { readonly rank: number; readonly run: RunInfo; readonly needs: readonly NeedsKey[] },
  ) {
    this.#settings = settings;
    this.#port = port;
    this.#run = joined.run;
    this.#rank = joined.rank;
    this.#needs = joined.needs;
    this.#slots = new SlotPool(settings.slots);
    this.#claimSize = new ClaimSize(settings.slots);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Nothing runs and nothing waits to run here. */
  get idle(): boolean {
    return (
      this.#running.size === 0 &&
      this.#waiting.length === 0 &&
      !this.#exchanging &&
      this.#reports.waiting === 0
    );
  }

  get stats(): EngineStats {
    const state = this.#phase === "starting" || this.#phase === "running" ? this.#phase : "draining";
    return { state, busy: this.#slots.busy, done: this.#done, failed: this.#failed };
  }

  begin(): void {
    this.#proceed();
  }

  onTaskEnd(end: TaskEnd): void {
    const task = this.#running.get(end.tag);
    if (task === undefined) return;
    this.#running.delete(end.tag);
    if (task.slot !== null) this.#slots.give(task.slot);
    const outcome: Outcome = end.stopped ? { kind: "cancelled" } : end.outcome;
    const failed = isFailure(outcome);
    this.#done++;
    if (failed) this.#failed++;
    if (task.kind === "task") this.#claimSize.taskTook(end.elapsed * 1000);
    this.#report(task, end, outcome, failed ? end.lastWords : noBytes);
    this.#proceed();
  }

  /** `tripMs`: from sending the request to its answer. */
  onExchanged(answer: ExchangeAnswer, tripMs: number): void {
    this.#exchanging = false;
    this.#claimSize.tripTook(tripMs);
    // Of needs that it did not know this exchange could not claim anything, and nobody rings for them again.
    if (answer.tasks.length > 0 || answer.needs.length > this.#needs.length) this.#mayClaim = true;
    this.#needs = answer.needs;
    for (const task of answer.tasks) this.#waiting.push(task);
    this.#reports.acknowledge(answer.acknowledged);
    // After the new tasks are in: what an order finds waiting is released.
    this.onWanted(answer.wanted);
    this.#proceed();
  }

  onAcknowledged(upTo: number): void {
    this.#reports.acknowledge(upTo);
    this.#proceed();
  }

  onBell(): void {
    this.#mayClaim = true;
    this.#rung = true;
    this.#proceed();
  }

  /**
   * Reports were held back to go together with those of the tasks that wait here. If none of these was started meanwhile,
   * what runs is longer than it seemed: they go back to where an idle engine can take them.
   */
  onReminder(): void {
    const stuck = this.#reminder === this.#nextTag;
    this.#reminder = null;
    if (stuck && this.#phase === "running") {
      this.#claimSize.forgetTasks();
      this.#releaseWaiting();
    }
    this.#exchange(true);
    this.#leaveWhenDone();
  }

  /** Orders only grow stronger: an engine that drains does not run again. */
  onWanted(wanted: Wanted): void {
    switch (wanted) {
      case "run":
        return;
      case "drain":
        if (this.#phase === "starting" || this.#phase === "running") {
          this.#phase = "draining";
          this.#askAcknowledged = true;
          this.#releaseWaiting();
          this.#proceed();
        }
        return;
      case "stop":
        if (this.#phase === "left") return;
        this.#releaseWaiting();
        if (this.#phase === "stopping") return;
        this.#phase = "stopping";
        this.#askAcknowledged = true;
        this.stopTasks(this.#run.graceMs);
        this.#proceed();
    }
  }

  /** Stops what runs now; `graceMs` from TERM to KILL. Repeated with less grace it hurries. */
  stopTasks(graceMs: number): void {
    for (const tag of this.#running.keys()) this.#port.stop(tag, graceMs);
  }

  #proceed(): void {
    switch (this.#phase) {
      case "starting":
        if (this.#running.size > 0 || this.#launchNext("start", this.#run.perEngine.start)) break;
        this.#phase = "running";
        this.#startWaiting();
        break;
      case "running":
        this.#startWaiting();
        break;
      case "draining":
        this.#releaseWaiting();
        if (this.#running.size > 0) break;
        this.#phase = "finishing";
        this.#nextCommand = 0;
        this.#launchNext("stop", this.#run.perEngine.stop);
        break;
      case "finishing":
        // An exchange that was under way when the order came may still bring tasks.
        this.#releaseWaiting();
        if (this.#running.size === 0) this.#launchNext("stop", this.#run.perEngine.stop);
        break;
      case "stopping":
        this.#releaseWaiting();
        break;
      case "left":
        return;
    }
    this.#exchange();
    this.#leaveWhenDone();
  }

  /** False when the list is at its end. PERENGINE commands run one after the other, in no slot. */
  #launchNext(kind: "start" | "stop", commands: RunInfo["perEngine"]["start"]): boolean {
    const command = commands[this.#nextCommand];
    if (command === undefined) return false;
    const id = this.#nextCommand++;
    this.#launch({ kind, id, attempt: 1, slot: null }, command.command, {
      id,
      line: command.line,
      repeatIndex: -1,
    });
    return true;
  }

  #startWaiting(): void {
    while (this.#waiting.length > 0 && this.#slots.free > 0) {
      const queued = this.#waiting.shift();
      const slot = queued === undefined ? null : this.#slots.take();
      if (queued === undefined || slot === null) return;
      const task = decodeTask(queued.body);
      this.#launch({ kind: "task", id: task.id, attempt: task.attempt, slot }, task.command, task);
    }
  }

  #launch(
    running: Running,
    command: Uint8Array,
    numbers: { readonly id: number; readonly line: number; readonly repeatIndex: number },
  ): void {
    const tag = this.#nextTag++;
    this.#running.set(tag, running);
    const place = {
      engineRank: this.#rank,
      cylinderRank: running.slot ?? -1,
      coresPerTask: this.#settings.coresPerTask,
    };
    this.#port.launch(tag, command, taskEnvironment(this.#run, place, numbers));
  }

  #releaseWaiting(): void {
    this.#releases.push(...this.#waiting.splice(0));
  }

  #report(task: Running, end: TaskEnd, outcome: Outcome, lastWords: Uint8Array): void {
    // Written out: on the way of every task, copies of objects are what costs most.
    const body = encodeReport({
      kind: task.kind,
      id: taskId(task.id),
      attempt: attempt(task.attempt),
      host: this.#settings.host,
      pid: end.pid,
      outcome,
      start: end.start,
      end: end.end,
      elapsed: end.elapsed,
      out: end.out,
      err: end.err,
      lastWords,
    });
    this.#reports.add(task.kind === "task" ? taskId(task.id) : null, body);
  }

  /** `now`: does not hold reports back. */
  #exchange(now = false): void {
    // As long as any task waits here somebody must look whether it still does so rightly.
    if (this.#phase === "running" && this.#waiting.length > 0) this.#askForReminder();
    if (this.#exchanging || (!now && !this.#rung && this.#holds)) return;
    const free = this.#phase === "running" ? this.#slots.free : 0;
    const room = free + this.#claimSize.ahead - this.#waiting.length;
    const wanted = this.#phase === "running" && this.#mayClaim ? Math.max(0, room) : 0;
    const asks =
      this.#rung || (this.#askAcknowledged && this.#phase !== "running" && this.#reports.awaited > 0);
    if (wanted === 0 && this.#reports.waiting === 0 && this.#releases.length === 0 && !asks) return;
    const reports = this.#reports.take(this.#settings.maxReports);
    this.#exchanging = true;
    this.#askAcknowledged = false;
    this.#rung = false;
    // Until the bell rings again there is no point in asking, unless this exchange finds all it wants.
    this.#mayClaim = false;
    const releases = this.#releases.splice(0, this.#settings.maxReports);
    this.#port.exchange({
      engine: this.#settings.engine,
      seq: this.#nextSeq++,
      reports,
      releases,
      wants: this.#phase === "running" && room > 0 ? this.#needs.map((needs) => ({ needs, max: room })) : [],
      maxBytes: this.#settings.maxBytes,
      idleSlots: this.#phase === "running" ? free : 0,
      awaitsAcknowledgement: this.#phase !== "running",
    });
  }

  /** Enough short tasks wait here: their reports can share a trip. */
  get #holds(): boolean {
    if (this.#phase !== "running" || this.#slots.free > 0) return false;
    return (
      this.#waiting.length > this.#claimSize.ahead / 2 &&
      this.#reports.waiting < this.#settings.maxReports / 2
    );
  }

  #askForReminder(): void {
    if (this.#reminder !== null) return;
    this.#reminder = this.#nextTag;
    this.#port.remind();
  }

  #leaveWhenDone(): void {
    if (this.#phase !== "finishing" && this.#phase !== "stopping") return;
    const busy = this.#exchanging || this.#running.size > 0 || this.#waiting.length > 0;
    if (busy || !this.#reports.isEmpty || this.#releases.length > 0) return;
    this.#phase = "left";
    this.#port.leave();
  }
}

const noBytes = new Uint8Array(0);

function isFailure(outcome: Outcome): boolean {
  switch (outcome.kind) {
    case "exited":
      return outcome.code !== 0;
    case "signalled":
    case "failedToStart":
      return true;
    case "lost":
    case "cancelled":
      return false;
  }
}
