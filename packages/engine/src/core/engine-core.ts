import {
  type AnnounceAnswer,
  type EngineStats,
  type ExchangeAnswer,
  type NeedsKey,
  type QueuedTask,
  type RunInfo,
  type Wanted,
  readTask,
} from "@taskmuster/kvs/protocol";
import type { AnnouncePart } from "./announcement.js";
import { Capacity } from "./capacity.js";
import { ClaimSize } from "./claim-size.js";
import { type EnginePlace, slotEnvironment, taskEnvironment } from "./environment.js";
import type { EnginePort, EngineSettings, TaskEnd } from "./engine-port.js";
import { refusalOf } from "./refusal.js";
import { StoreTalk } from "./store-talk.js";
import { TaskEnds } from "./task-ends.js";
import { refusedEnd } from "./refused-task.js";
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
 * A START command that must succeed and does not is a stop. Only this class changes the phase. Slots are the launcher's: what is
 * enqueued beyond them waits there, so that a slot has its next task without us. Invariants: a claimed task is in exactly one
 * of waiting (here, as tasks must not start now), launched, held (it has ended, and nobody is told yet), or handed in (a report or a
 * release that some exchange carries). What the node refuses to start, as it is out of something, is released; see `Capacity`.
 */

type Phase = "starting" | "running" | "draining" | "finishing" | "stopping" | "left";

export class EngineCore {
  readonly #port: EnginePort;
  readonly #settings: EngineSettings;
  readonly #run: RunInfo;
  readonly #rank: number;
  readonly #claimSize: ClaimSize;
  readonly #capacity: Capacity;
  readonly #waiting: QueuedTask[] = [];
  readonly #launched = new Map<number, Launched>();
  /** Among them, those that have a slot or wait for one. */
  #enqueued = 0;
  readonly #ends: TaskEnds;
  readonly #talk: StoreTalk;
  #phase: Phase = "starting";
  #nextCommand = 0;
  #nextTag = 1;
  /** Grows with everything that ends. */
  #ended = 0;
  /** A reminder is under way, and so much had ended when it was asked for. */
  #reminder: number | null = null;
  /** Seconds since 1970. */
  #answeredAt = 0;
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
    this.#claimSize = new ClaimSize(settings.slots, settings.mostAhead);
    this.#capacity = new Capacity(settings.slots);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Nothing runs and nothing waits to run here. */
  get idle(): boolean {
    return (
      this.#launched.size === 0 &&
      this.#waiting.length === 0 &&
      !this.holds &&
      !this.#talk.underWay &&
      this.#talk.reportsWaiting === 0
    );
  }

  /** Handed in, and not on the driver's disk as far as is known here. */
  get holdsResults(): boolean {
    return this.#talk.reportsAwaited > 0;
  }

  /** Something runs or waits to run here, or this engine does not run tasks (any more). */
  get busy(): boolean {
    return this.#phase !== "running" || this.#launched.size > 0 || this.#waiting.length > 0;
  }

  /** Grows with everything that is launched. */
  get launches(): number {
    return this.#nextTag - 1;
  }

  /** Ends are held back: `onHeldDue` is to be called about once a second. */
  get holds(): boolean {
    return this.#ends.holding;
  }

  /** Why it goes, or went. */
  get why(): string {
    return this.#why;
  }

  /** Why this engine could do no work at all. */
  get failure(): string | null {
    return this.#failure;
  }

  get stats(): EngineStats {
    const state = this.#phase === "starting" || this.#phase === "running" ? this.#phase : "draining";
    const { done, failed } = this.#ends;
    const { out: outOf, usable } = this.#capacity;
    const why = this.#ordered ? "" : this.#why;
    return { state, why, outOf, usable, busy: this.#busySlots, done, failed };
  }

  begin(): void {
    this.#proceed();
  }

  onTaskEnds(ends: readonly TaskEnd[]): void {
    let out: string | null = null;
    for (const end of ends) {
      const task = this.#taken(end.tag);
      if (task === undefined) continue;
      const refusal = refusalOf(end.outcome);
      if (refusal !== null && this.#takeBack(task)) {
        out = refusal;
        continue;
      }
      this.#ended++;
      if (task.kind === "task") this.#claimSize.taskTook(end.elapsed * 1000);
      this.#ends.add(task, end);
      if (task.kind === "start") this.#judgeStart(task, end);
    }
    if (out !== null) this.#onRefused(out);
    // What seems to die of a signal, the next one would too.
    if (this.#ends.suspectsSignal) this.#port.recall();
    this.#proceed();
  }

  /** Enqueued, and never started: for others, unless it can be started here soon. */
  onRecalled(tags: readonly number[]): void {
    const tasks = tags.flatMap((tag) => this.#taken(tag)?.queued ?? []);
    if (this.#phase === "running" && this.#ends.suspectsSignal) this.#waiting.unshift(...tasks);
    else this.#talk.release(tasks);
    this.#proceed();
  }

  onHeldDue(): void {
    this.#ends.onDue();
    this.#proceed();
  }

  /** To be called once a second. */
  onSecond(): void {
    if (!this.#capacity.onSecond()) return;
    this.#talk.onRoom();
    this.#proceed();
  }

  /** `nowSeconds`: since 1970. */
  onExchanged(answer: ExchangeAnswer, nowSeconds = 0): void {
    this.#answeredAt = nowSeconds;
    this.#talk.onExchanged(answer);
    for (const task of answer.tasks) this.#waiting.push(task);
    // After the new tasks are in: what an order finds waiting is released.
    this.onWanted(answer.wanted);
    this.#proceed();
  }

  /** The store has forgotten: what it is to be told before anything is exchanged. What runs goes on. May be asked again. */
  announce(): readonly AnnouncePart[] {
    const here = [...this.#launched.values(), ...this.#ends.held];
    return this.#talk.announce([...this.#waiting, ...here.flatMap(({ queued }) => queued ?? [])]);
  }

  onAnnounced(answer: Extract<AnnounceAnswer, { kind: "announced" }>): void {
    this.#talk.onAnnounced(answer);
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
   * Reports were held back to go together with those of the tasks that wait here. If nothing has ended meanwhile,
   * what runs is longer than it seemed: what waits goes back to where an idle engine can take it.
   */
  onReminder(): void {
    const stuck = this.#reminder === this.#ended && !this.#ends.suspectsSignal;
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
    this.#port.recall();
    for (const tag of this.#launched.keys()) this.#port.stop(tag, graceMs);
  }

  /** Not begun, by the node's fault: for others, or for later. False: it counts as it ended. */
  #takeBack({ kind, id, queued }: Launched): boolean {
    switch (kind) {
      case "task":
        if (queued !== null) this.#talk.release([queued]);
        return true;
      case "start":
        if (this.#phase === "starting") this.#nextCommand = id;
        return true;
      case "stop":
        return false;
    }
  }

  #onRefused(out: string): void {
    this.#capacity.refused(this.#busySlots, out);
    if (this.#queueLength > 0) this.#port.recall();
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
        if (this.#launched.size > 0 || this.#capacity.limit === 0) break;
        if (this.#launchNext("start", this.#run.perEngine.start)) break;
        this.#phase = "running";
        this.#enqueueWaiting();
        break;
      case "running":
        this.#enqueueWaiting();
        break;
      case "draining":
        this.#releaseWaiting();
        if (this.#launched.size > 0) break;
        this.#phase = "finishing";
        this.#nextCommand = 0;
        this.#launchNext("stop", this.#run.perEngine.stop);
        break;
      case "finishing":
        // An exchange that was under way when the order came may still bring tasks.
        this.#releaseWaiting();
        if (this.#launched.size === 0) this.#launchNext("stop", this.#run.perEngine.stop);
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
    const tag = this.#nextTag++;
    this.#launched.set(tag, { kind, id, attempt: 1, queued: null });
    this.#port.launch(tag, command.command, {
      ...slotEnvironment(this.#run, this.#place, -1),
      ...taskEnvironment({ id, line: command.line, repeatIndex: -1 }),
      ...this.#settings.perEngineEnv,
    });
    return true;
  }

  #enqueueWaiting(): void {
    if (this.#waiting.length === 0 || this.#ends.suspectsSignal) return;
    if (this.#capacity.isTight)
      this.#talk.release(this.#waiting.splice(Math.max(0, this.#capacity.limit - this.#enqueued)));
    for (const queued of this.#waiting.splice(0)) {
      const task = readTask(queued.id, queued.attempt, queued.body);
      const tag = this.#nextTag++;
      if ("refused" in task) {
        const { id, attempt } = queued;
        const launched: Launched = { kind: "task", id, attempt, queued };
        this.#ends.add(launched, refusedEnd(tag, task.refused, this.#answeredAt));
        continue;
      }
      this.#launched.set(tag, { kind: "task", id: task.id, attempt: task.attempt, queued });
      this.#enqueued++;
      this.#port.enqueue(tag, task.command, taskEnvironment(task), task.timeoutMs);
    }
  }

  /** Launched no more. */
  #taken(tag: number): Launched | undefined {
    const task = this.#launched.get(tag);
    if (task === undefined) return undefined;
    this.#launched.delete(tag);
    if (task.kind === "task") this.#enqueued--;
    return task;
  }

  /** What is enqueued and has no slot comes back through `onRecalled`. */
  #releaseWaiting(): void {
    this.#talk.release(this.#waiting.splice(0));
    if (this.#queueLength > 0) this.#port.recall();
  }

  get #place(): EnginePlace {
    return { engineRank: this.#rank, coresPerTask: this.#settings.coresPerTask };
  }

  get #busySlots(): number {
    return Math.min(this.#enqueued, this.#settings.slots);
  }

  /** Enqueued, and without a slot. */
  get #queueLength(): number {
    return this.#enqueued - this.#busySlots;
  }

  /** Claimed, and without a slot. */
  get #ahead(): number {
    return this.#queueLength + this.#waiting.length;
  }

  /** `now`: does not hold reports back. */
  #exchange(now = false): void {
    const running = this.#phase === "running";
    // As long as any task waits here somebody must look whether it still does so rightly.
    if (running && this.#ahead > 0) this.#askForReminder();
    const free = Math.max(0, this.#capacity.limit - this.#busySlots);
    const ahead = this.#capacity.isTight ? 0 : this.#claimSize.ahead;
    const request = this.#talk.next({
      slots: running ? { free, room: free + ahead - this.#ahead } : null,
      canWait: !now && this.#canWait,
    });
    if (request !== null) this.#port.exchange(request);
  }

  /** Enough short tasks wait here: their reports can share a trip. */
  get #canWait(): boolean {
    if (this.#phase !== "running" || this.#enqueued < this.#settings.slots || this.#capacity.isTight)
      return false;
    return (
      this.#ahead > this.#claimSize.ahead * waitsAbove &&
      this.#talk.reportsWaiting < this.#settings.maxReports / 2
    );
  }

  #askForReminder(): void {
    if (this.#reminder !== null) return;
    this.#reminder = this.#ended;
    this.#port.remind();
  }

  #leaveWhenDone(): void {
    if (this.#phase !== "finishing" && this.#phase !== "stopping") return;
    if (this.#launched.size > 0 || this.#waiting.length > 0 || this.holds || !this.#talk.isOver) return;
    this.#phase = "left";
    this.#port.leave(this.#why);
  }
}

/** Reports wait for others as long as more than this part of what shall be ahead is still there. */
const waitsAbove = 1 / 4;
