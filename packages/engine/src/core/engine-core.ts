import {
  type EngineStats,
  type ExchangeAnswer,
  type NeedsKey,
  type QueuedTask,
  type RunInfo,
  type Wanted,
  decodeTask,
} from "@taskmuster/kvs/protocol";
import { ClaimSize } from "./claim-size.js";
import { taskEnvironment } from "./environment.js";
import type { EnginePort, EngineSettings, TaskEnd } from "./engine-port.js";
import { SlotPool } from "./slots.js";
import { StoreTalk } from "./store-talk.js";
import { TaskEnds } from "./task-ends.js";
import { type Launched, outcomeText } from "./task-report.js";

export type { EnginePort, EngineSettings, TaskEnd } from "./engine-port.js";

/*
 * The life of an engine, without sockets, processes or clocks. What goes in: what was joined, answers
 * of exchanges, ends of tasks, orders. What comes out goes through `EnginePort`.
 *
 *   starting ──(START commands done)──> running ──(drain)──> draining ──(idle)──> finishing ──(STOP commands done,
 *      │                                   │                    │                     all acknowledged)──> left
 *      └──────────────(stop)───────────────┴───(stop)───────────┴──> stopping ──(trees gone, acknowledged)──> left
 *
 * A START command that must succeed and does not is a stop. Only this class changes the phase. Invariants: never more than
 * `slots` tasks run; a claimed task is in exactly one of waiting, running, held (it has ended, and nobody is told yet), or handed
 * in (a report or a release that some exchange carries).
 */

type Phase = "starting" | "running" | "draining" | "finishing" | "stopping" | "left";

export class EngineCore {
  readonly #port: EnginePort;
  readonly #settings: EngineSettings;
  readonly #run: RunInfo;
  readonly #rank: number;
  readonly #slots: SlotPool;
  readonly #claimSize: ClaimSize;
  readonly #waiting: QueuedTask[] = [];
  readonly #running = new Map<number, Launched>();
  readonly #ends: TaskEnds;
  readonly #talk: StoreTalk;
  #phase: Phase = "starting";
  #nextCommand = 0;
  #nextTag = 1;
  /** A reminder is under way, and so many tasks had been started when it was asked for. */
  #reminder: number | null = null;
  /** Why it goes, for people. */
  #why = "";
  /** Somebody else decided so. */
  #ordered = false;
  #failure: string | null = null;

  constructor(
    settings: EngineSettings,
    port: EnginePort,
    joined: { readonly rank: number; readonly run: RunInfo; readonly needs: readonly NeedsKey[] },
  ) {
    this.#settings = settings;
    this.#port = port;
    this.#run = joined.run;
    this.#rank = joined.rank;
    this.#talk = new StoreTalk(settings, joined.needs);
    this.#ends = new TaskEnds({
      host: settings.host,
      holds: settings.holdsFailures === true,
      report: (ends, body) => this.#talk.report(ends, body),
    });
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
      !this.holds &&
      !this.#talk.underWay &&
      this.#talk.reportsWaiting === 0
    );
  }

  /** Something runs or waits to run here, or this engine does not run tasks (any more). */
  get busy(): boolean {
    return this.#phase !== "running" || this.#running.size > 0 || this.#waiting.length > 0;
  }

  /** Grows with everything that is launched. */
  get launched(): number {
    return this.#nextTag - 1;
  }

  /** Ends are held back: `onHeldDue` is to be called about once a second. */
  get holds(): boolean {
    return this.#ends.holding;
  }

  /** Why this engine could do no work at all. */
  get failure(): string | null {
    return this.#failure;
  }

  get stats(): EngineStats {
    const state = this.#phase === "starting" || this.#phase === "running" ? this.#phase : "draining";
    const { done, failed } = this.#ends;
    return { state, why: this.#ordered ? "" : this.#why, busy: this.#slots.busy, done, failed };
  }

  begin(): void {
    this.#proceed();
  }

  onTaskEnd(end: TaskEnd): void {
    const task = this.#running.get(end.tag);
    if (task === undefined) return;
    this.#running.delete(end.tag);
    if (task.slot !== null) this.#slots.give(task.slot);
    if (task.kind === "task") this.#claimSize.taskTook(end.elapsed * 1000);
    this.#ends.add(task, end);
    if (task.kind === "start") this.#judgeStart(task, end);
    this.#proceed();
  }

  onHeldDue(): void {
    this.#ends.onDue();
    this.#proceed();
  }

  /** `tripMs`: from sending the request to its answer. */
  onExchanged(answer: ExchangeAnswer, tripMs: number): void {
    this.#claimSize.tripTook(tripMs);
    this.#talk.onExchanged(answer);
    for (const task of answer.tasks) this.#waiting.push(task);
    // After the new tasks are in: what an order finds waiting is released.
    this.onWanted(answer.wanted);
    this.#proceed();
  }

  onAcknowledged(upTo: number): void {
    this.#talk.onAcknowledged(upTo);
    this.#proceed();
  }

  onBell(): void {
    this.#talk.onBell();
    this.#proceed();
  }

  /**
   * Reports were held back to go together with those of the tasks that wait here. If none of these was started meanwhile,
   * what runs is longer than it seemed: they go back to where an idle engine can take them.
   */
  onReminder(): void {
    const stuck = this.#reminder === this.#nextTag && !this.#ends.suspectsSignal;
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
        return this.drain("retired", "ordered");
      case "stop":
        return this.stop("stopped", "ordered");
    }
  }

  /** Takes nothing new, and leaves when what runs has ended. `why` is for people, as everywhere. */
  drain(why: string, by: "itself" | "ordered" = "itself"): void {
    if (this.#phase !== "starting" && this.#phase !== "running") return;
    this.#phase = "draining";
    [this.#why, this.#ordered] = [why, by === "ordered"];
    this.#talk.onLeaving();
    this.#releaseWaiting();
    this.#proceed();
  }

  /** Stops what runs, hands everything back and leaves. */
  stop(why: string, by: "itself" | "ordered" = "itself"): void {
    if (this.#phase === "left") return;
    this.#releaseWaiting();
    if (this.#phase === "stopping") return;
    this.#phase = "stopping";
    [this.#why, this.#ordered] = [why, by === "ordered"];
    this.#talk.onLeaving();
    this.stopTasks(this.#run.graceMs);
    this.#proceed();
  }

  /** The same, and nothing that failed just before, or fails from now on, is a failure of the task. */
  onStopSignal(why: string): void {
    if (this.#ends.onStopSignal() && this.#failure !== null) [this.#failure, this.#why] = [null, why];
    this.stop(why);
    this.#proceed();
  }

  /** The store thinks that tasks are here which are not: it gets them back, and is asked again. */
  onLeaveRefused(claims: readonly QueuedTask[]): void {
    this.#phase = "stopping";
    this.#talk.release(claims);
    this.#proceed();
  }

  /** Stops what runs now; `graceMs` from TERM to KILL. Repeated with less grace it hurries. */
  stopTasks(graceMs: number): void {
    for (const tag of this.#running.keys()) this.#port.stop(tag, graceMs);
  }

  #judgeStart(task: Launched, end: TaskEnd): void {
    if (!this.#run.startMustSucceed || this.#phase !== "starting") return;
    const outcome = this.#ends.outcomeOf(end);
    if (outcome.kind === "exited" && outcome.code === 0) return;
    this.#failure = `PERENGINE START ${task.id} failed (${outcomeText(outcome)})`;
    this.stop(this.#failure);
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
    while (this.#waiting.length > 0 && this.#slots.free > 0 && !this.#ends.suspectsSignal) {
      const queued = this.#waiting.shift();
      const slot = queued === undefined ? null : this.#slots.take();
      if (queued === undefined || slot === null) return;
      const task = decodeTask(queued.body);
      this.#launch({ kind: "task", id: task.id, attempt: task.attempt, slot }, task.command, task);
    }
  }

  #launch(
    running: Launched,
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
    const env = taskEnvironment(this.#run, place, numbers);
    const share = running.slot === null ? undefined : this.#settings.shares?.[running.slot];
    const more = running.slot === null ? this.#settings.perEngineEnv : share?.env;
    if (more !== undefined) Object.assign(env, more);
    this.#port.launch(tag, command, env, share?.cpus);
  }

  #releaseWaiting(): void {
    this.#talk.release(this.#waiting.splice(0));
  }

  /** `now`: does not hold reports back. */
  #exchange(now = false): void {
    const running = this.#phase === "running";
    // As long as any task waits here somebody must look whether it still does so rightly.
    if (running && this.#waiting.length > 0) this.#askForReminder();
    const { free } = this.#slots;
    const request = this.#talk.next({
      slots: running ? { free, room: free + this.#claimSize.ahead - this.#waiting.length } : null,
      canWait: !now && this.#canWait,
    });
    if (request !== null) this.#port.exchange(request);
  }

  /** Enough short tasks wait here: their reports can share a trip. */
  get #canWait(): boolean {
    if (this.#phase !== "running" || this.#slots.free > 0) return false;
    return (
      this.#waiting.length > this.#claimSize.ahead / 2 &&
      this.#talk.reportsWaiting < this.#settings.maxReports / 2
    );
  }

  #askForReminder(): void {
    if (this.#reminder !== null) return;
    this.#reminder = this.#nextTag;
    this.#port.remind();
  }

  #leaveWhenDone(): void {
    if (this.#phase !== "finishing" && this.#phase !== "stopping") return;
    if (this.#running.size > 0 || this.#waiting.length > 0 || this.holds || !this.#talk.isOver) return;
    this.#phase = "left";
    this.#port.leave(this.#why);
  }
}
