import type {
  AnnounceAnswer,
  EngineStats,
  ExchangeAnswer,
  QueuedTask,
  RunInfo,
  Wanted,
} from "@taskmuster/kvs/protocol";
import type { AnnouncePart } from "./announcement.js";
import type { EnginePort, EngineSettings, TaskEnd } from "./engine-port.js";
import { refusalOf } from "./refusal.js";
import { StoreTalk } from "./store-talk.js";
import { TaskEnds } from "./task-ends.js";
import { type Launched, outcomeText } from "./task-report.js";
import { type JoinedRun, Workload } from "./workload.js";

export type { EnginePort, EngineSettings, TaskEnd } from "./engine-port.js";

/*
 * The life of an engine, without sockets, processes or clocks. What goes in: what was joined, answers
 * of exchanges, ends of tasks, orders. What comes out goes through `EnginePort`.
 *
 *   starting ──(START commands done)──> running ──(drain)──> draining ──(idle)──> finishing ──(STOP commands done,
 *      │                                   │                    │                     all acknowledged)──> left
 *      └──────────────(stop)───────────────┴───(stop)───────────┴──> stopping ──(trees gone, acknowledged)──> left
 *
 * A START command that must succeed and does not is a stop. Only this class changes the phase. Invariants: a claimed task is in exactly one
 * of waiting, launched (both in `Workload`), held (it has ended, and nobody is told yet), or handed in (a report or a
 * release that some exchange carries). What the node refuses to start, as it is out of something, is released; see `Capacity`.
 */

type Phase = "starting" | "running" | "draining" | "finishing" | "stopping" | "left";

export class EngineCore {
  readonly #port: EnginePort;
  readonly #run: RunInfo;
  readonly #load: Workload;
  readonly #ends: TaskEnds;
  readonly #talk: StoreTalk;
  #phase: Phase = "starting";
  #nextCommand = 0;
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

  constructor(settings: EngineSettings, port: EnginePort, joined: JoinedRun) {
    this.#port = port;
    this.#run = joined.run;
    this.#talk = new StoreTalk(settings, joined.needs);
    this.#ends = new TaskEnds({
      host: settings.host,
      holds: settings.holdsFailures === true,
      report: (ends, body) => this.#talk.report(ends, body),
    });
    this.#load = new Workload(settings, joined, { port, ends: this.#ends, talk: this.#talk });
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Nothing runs and nothing waits to run here. */
  get idle(): boolean {
    return this.#load.isEmpty && !this.holds && !this.#talk.underWay && this.#talk.reportsWaiting === 0;
  }

  /** Handed in, and not on the driver's disk as far as is known here. */
  get holdsResults(): boolean {
    return this.#talk.reportsAwaited > 0;
  }

  /** Something runs or waits to run here, or this engine does not run tasks (any more). */
  get busy(): boolean {
    return this.#phase !== "running" || !this.#load.isEmpty;
  }

  /** Grows with everything that is launched. */
  get launches(): number {
    return this.#load.launches;
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
    const { busySlots: busy, capacity } = this.#load;
    const { out: outOf, usable } = capacity;
    const why = this.#ordered ? "" : this.#why;
    return { state, why, outOf, usable, busy, done, failed };
  }

  begin(): void {
    this.#proceed();
  }

  onTaskEnds(ends: readonly TaskEnd[]): void {
    let out: string | null = null;
    for (const end of ends) {
      const task = this.#load.take(end.tag);
      if (task === undefined) continue;
      const refusal = refusalOf(end.outcome);
      if (refusal !== null && this.#takeBack(task)) {
        out = refusal;
        continue;
      }
      this.#ended++;
      if (task.kind === "task") this.#load.taskTook(end.elapsed * 1000);
      this.#ends.add(task, end);
      if (task.kind === "start") this.#judgeStart(task, end);
    }
    if (out !== null) this.#load.onRefused(out);
    // What seems to die of a signal, the next one would too.
    if (this.#ends.suspectsSignal) this.#port.recall();
    this.#proceed();
  }

  /** Enqueued, and never started: for others, unless it can be started here soon. */
  onRecalled(tags: readonly number[]): void {
    const tasks = tags.flatMap((tag) => this.#load.take(tag)?.queued ?? []);
    if (this.#phase === "running" && this.#ends.suspectsSignal) this.#load.addFirst(tasks);
    else this.#talk.release(tasks);
    this.#proceed();
  }

  onHeldDue(): void {
    this.#ends.onDue();
    this.#proceed();
  }

  /** To be called once a second. */
  onSecond(): void {
    if (!this.#load.onSecond()) return;
    this.#talk.onRoom();
    this.#proceed();
  }

  /** `nowSeconds`: since 1970. */
  onExchanged(answer: ExchangeAnswer, nowSeconds = 0): void {
    this.#answeredAt = nowSeconds;
    this.#talk.onExchanged(answer);
    this.#load.add(answer.tasks);
    // After the new tasks are in: what an order finds waiting is released.
    this.onWanted(answer.wanted);
    this.#proceed();
  }

  /** The store has forgotten: what it is to be told before anything is exchanged. What runs goes on. May be asked again. */
  announce(): readonly AnnouncePart[] {
    return this.#talk.announce(this.#load.claims);
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
   * that was wrong.
   */
  onReminder(): void {
    const stuck = this.#reminder === this.#ended && !this.#ends.suspectsSignal;
    this.#reminder = null;
    if (stuck && this.#phase === "running") this.#load.onStuck();
    this.#exchange(true);
    this.#leaveWhenDone();
  }

  /** Orders only grow stronger: an engine that drains does not run again. */
  onWanted(wanted: Wanted): void {
    switch (wanted) {
      case "run":
      case "hold":
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
    this.#load.releaseWaiting();
    this.#proceed();
  }

  /** Stops what runs, hands everything back and leaves. */
  stop(why: string, by: "itself" | "ordered" = "itself"): void {
    if (this.#phase === "left") return;
    this.#load.releaseWaiting();
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
    this.#load.stop(graceMs);
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
        if (!this.#load.isIdle || this.#load.capacity.limit === 0) break;
        if (this.#launchNext("start", this.#run.perEngine.start)) break;
        this.#phase = "running";
        this.#load.enqueueWaiting(this.#answeredAt);
        break;
      case "running":
        this.#load.enqueueWaiting(this.#answeredAt);
        break;
      case "draining":
        this.#load.releaseWaiting();
        if (!this.#load.isIdle) break;
        this.#phase = "finishing";
        this.#nextCommand = 0;
        this.#launchNext("stop", this.#run.perEngine.stop);
        break;
      case "finishing":
        // An exchange that was under way when the order came may still bring tasks.
        this.#load.releaseWaiting();
        if (this.#load.isIdle) this.#launchNext("stop", this.#run.perEngine.stop);
        break;
      case "stopping":
        this.#load.releaseWaiting();
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
    this.#load.launch(kind, this.#nextCommand++, command);
    return true;
  }

  /** `now`: does not hold reports back. */
  #exchange(now = false): void {
    const running = this.#phase === "running";
    // As long as any task waits here somebody must look whether it still does so rightly.
    if (running && this.#load.ahead > 0) this.#askForReminder();
    const request = this.#talk.next({
      slots: running ? this.#load.slots : null,
      canWait: !now && running && this.#load.canWait,
    });
    if (request !== null) this.#port.exchange(request);
  }

  #askForReminder(): void {
    if (this.#reminder !== null) return;
    this.#reminder = this.#ended;
    this.#port.remind();
  }

  #leaveWhenDone(): void {
    if (this.#phase !== "finishing" && this.#phase !== "stopping") return;
    if (!this.#load.isEmpty || this.holds || !this.#talk.isOver) return;
    this.#phase = "left";
    this.#port.leave(this.#why);
  }
}
