import type { ClaimedTask, EngineId, Wanted } from "@taskmuster/kvs/protocol";
import { Attempts } from "./attempts.js";
import { Barriers } from "./barriers.js";
import type {
  DriverCoreOptions,
  PerEngineLines,
  Publish,
  ReceivedFrom,
  Stray,
  Withdrawal,
} from "./driver-values.js";
import type { EndReason } from "./end-reason.js";
import { Exceptions, type TaskExceptions } from "./exceptions.js";
import { Failures } from "./failures.js";
import type { Inherited } from "./inheritance.js";
import { OutstandingTasks } from "./outstanding-tasks.js";
import { PastRun } from "./past-run.js";
import { PublishQueue } from "./publish-queue.js";
import { Reports } from "./reports.js";
import { Results } from "./results.js";
import { RunCourse } from "./run-course.js";
import type { RunView } from "./run-view.js";
import type { CopiedRows, StatusRow } from "./status-line/index.js";
import type { BarrierItem, TaskItem } from "./task-file/index.js";
import { Window } from "./window.js";

export type * from "./driver-values.js";

/*
 * The driver without sockets, files or clocks: what is published, what has ended, and what that means. The shell feeds it items
 * of the list, reports and orders, and carries out what it asks for (`take…`). `now` is in ms since 1970. Here its
 * parts meet, each of which has one thing to know: the run's course, what is outstanding, what attempts come to, results, barriers.
 *
 * Invariants: a task is outstanding from when it is read until it has its final row, so nothing is
 * published past a barrier; a task gets one final row (`Results`); the window bounds what is outstanding.
 */

export class DriverCore {
  /** To be told of before the run goes on, where it was taken over. */
  readonly past: PastRun;
  readonly #queue = new PublishQueue();
  readonly #tasks: OutstandingTasks;
  readonly #course: RunCourse;
  readonly #results: Results;
  readonly #attempts: Attempts;
  readonly #reports: Reports;
  readonly #barriers: Barriers;
  readonly #failures: Failures;
  readonly #exceptions: Exceptions;
  readonly #window = new Window();
  /** One above the highest id that was read. */
  #ids = 0;
  #endOfItems = false;
  #badInput = false;
  #held: string | null = null;
  #unrecorded = 0;
  #members = { engines: 0, slots: 0, claimed: 0 };
  #peakSlots = 0;

  constructor(options: DriverCoreOptions, perEngine: PerEngineLines) {
    const tasks = new OutstandingTasks(this.#queue, options);
    const course = new RunCourse(() => tasks.stopWaiting());
    const results = new Results(options);
    const failures = new Failures(course, options.failFast);
    const exceptions = new Exceptions();
    const { maxLosses, node } = options;
    const attempts = new Attempts({ tasks, results, failures, exceptions, course, maxLosses, node });
    this.#reports = new Reports({ perEngine, attempts, results, failures });
    this.#barriers = new Barriers({ results, failures, course });
    this.past = new PastRun({ tasks, results, failures, barriers: this.#barriers });
    this.#tasks = tasks;
    this.#course = course;
    this.#results = results;
    this.#failures = failures;
    this.#exceptions = exceptions;
    this.#attempts = attempts;
  }

  /** True: there is room in the window, and nothing stands in the way of the next line. */
  get wantsItems(): boolean {
    if (!this.#course.isRunning || this.#endOfItems || this.#barriers.reached !== null) return false;
    if (this.#held !== null) return false;
    return this.#tasks.active < this.#window.tasks && this.#tasks.bytes < this.#window.bytes;
  }

  get roomForItems(): number {
    return this.wantsItems ? this.#window.tasks - this.#tasks.active : 0;
  }

  /** Tasks that are published and have not ended, where that is more than half of the window; else 0: what ends makes room that is wanted. */
  get amplyOut(): number {
    const active = this.#tasks.active;
    return this.#course.isRunning && active > this.#window.tasks / 2 ? active : 0;
  }

  get phase(): RunView["phase"] {
    return this.#course.phase;
  }

  get reason(): EndReason | null {
    return this.#course.reason;
  }

  get view(): RunView {
    const { engines, slots, claimed } = this.#members;
    return {
      ...this.#results.counts,
      outstanding: this.#tasks.size,
      running: Math.min(slots, Math.min(claimed, this.#tasks.size)),
      slots,
      peakSlots: this.#peakSlots,
      engines,
      unrecorded: this.#unrecorded,
      atBarrier: this.#barriers.reached?.id ?? null,
      held: this.#held,
      phase: this.#course.phase,
      reason: this.#course.reason,
    };
  }

  /** What was read of the list: `ids` of tasks and barriers, and whether that is all. */
  get listRead(): { readonly ids: number; readonly whole: boolean } {
    return { ids: this.#ids, whole: this.#endOfItems && !this.#badInput };
  }

  /** No task from this id on has been published. */
  get published(): number {
    return this.#queue.published;
  }

  /** From now on tasks that lie near each other in the list are published in random order. */
  mixTasks(): void {
    this.#queue.mix();
  }

  /** `inherited`: what a driver before this one left of it. */
  onTask(item: TaskItem, inherited: Inherited | null = null): void {
    this.sawItem(item.id);
    this.#tasks.add(item, inherited);
    this.#exceptions.outstanding(this.#tasks.size);
  }

  /** This task or barrier was read from the list. */
  sawItem(id: number): void {
    this.#ids = Math.max(this.#ids, id + 1);
  }

  /** A task that an earlier run has done. That run's row, which is to stand in this run's file too, comes with `onCopied`. */
  onSkipped(id: number, line: number, returnCode: number): void {
    this.sawItem(id);
    this.#results.skipped(id, returnCode);
    if (returnCode !== 0) this.#failures.onRow(id, line);
  }

  onCopied(rows: CopiedRows): void {
    this.#results.copied(rows);
  }

  onBarrier(item: BarrierItem, now: number): void {
    this.sawItem(item.id);
    this.#barriers.reach(item, now);
    this.#proceed(now);
  }

  onEndOfItems(now: number): void {
    this.#endOfItems = true;
    this.#proceed(now);
  }

  /** The list cannot be read on. What was read before runs to its end. */
  onBadInput(message: string, now: number): void {
    this.#badInput = true;
    this.#course.onBadInput(message);
    this.onEndOfItems(now);
  }

  onReports(received: readonly ReceivedFrom[], now: number): void {
    const before = this.#results.count + this.#attempts.retried;
    this.#reports.receive(received, now);
    this.#window.tasksEnded(this.#results.count + this.#attempts.retried - before, now);
    this.#proceed(now);
  }

  onWithdrawn(withdrawal: Withdrawal, withdrawn: boolean, now: number): void {
    this.#attempts.onWithdrawn(withdrawal, withdrawn);
    this.#proceed(now);
  }

  /** An engine is dead, by proof or because its lease ran out; what it had claimed is offered again. `slots`: so many it had. */
  onEngineLost(claims: readonly ClaimedTask[], now: number, slots = Infinity): void {
    this.#attempts.onEngineLost(claims, now, slots);
    this.#proceed(now);
  }

  /** The store has forgotten: whoever has what was published, or nobody, has to be found out. */
  onForgotten(): void {
    this.#tasks.onForgotten();
  }

  /** An engine that came back to the store has these. */
  onAnnounced(claims: readonly ClaimedTask[]): void {
    this.#tasks.onAnnounced(claims);
  }

  /**
   * All who could have come back: what nobody has announced is offered again. It may have been an engine's that is dead by now, or that nobody
   * ever saw. Answers the attempts that were given up.
   */
  onSettled(): readonly ClaimedTask[] {
    return this.#attempts.onSettled();
  }

  /** Of a task each: ends that this engine has told. */
  tasksReportedBy(engine: EngineId): number {
    return this.#reports.ofTasksBy(engine);
  }

  /** Offers again what has waited for its retry. `now` in ms, monotonic. Answers ms until this is to be called again; null: nothing waits. */
  onClock(now: number): number | null {
    return this.#tasks.offerDue(now);
  }

  onMembers(members: { readonly engines: number; readonly slots: number; readonly claimed: number }): void {
    this.#members = members;
    this.#peakSlots = Math.max(this.#peakSlots, members.slots);
    this.#window.setSlots(members.slots);
  }

  /** Nothing new is handed out, nor claimed, as long as `why`, for people, is not null: rows cannot be written. */
  hold(why: string | null): void {
    this.#held = why;
    this.#course.hold(why !== null);
  }

  /** The rows of so many tasks that ended could not be written, and will not be. */
  onUnrecorded(tasks: number): void {
    this.#unrecorded = tasks;
  }

  /** Lets what runs end and starts nothing more. */
  drain(signal: string): void {
    this.#course.drain(signal);
  }

  /** Stops what runs. The first reason to stop is kept. */
  stop(reason: EndReason): void {
    this.#course.stop(reason);
  }

  /** Nobody is left to run anything, and nobody will come. Who joins this very moment is told to go. */
  noEngines(message: string): void {
    this.#course.noEngines(message);
  }

  /** Every engine is gone and every report of theirs has been received. */
  onNobodyLeft(): void {
    this.#course.onNobodyLeft();
  }

  takePublish(maxTasks: number, maxBytes: number): Publish | null {
    if (!this.#course.isRunning || this.#held !== null) return null;
    return this.#queue.take(maxTasks, maxBytes);
  }

  /** What was taken last has not been published: the store had no room. */
  onNotPublished(): void {
    this.#queue.putBack();
  }

  takeRows(): readonly (StatusRow | CopiedRows)[] {
    return this.#results.takeRows();
  }

  takePosts(): readonly { readonly key: string; readonly value: string }[] {
    return this.#barriers.takePosts();
  }

  /** For the ledger, before what `takePublish` answers is published. */
  takeExceptions(): readonly TaskExceptions[] {
    return this.#exceptions.take();
  }

  takeWithdrawals(): readonly Withdrawal[] {
    return this.#attempts.takeWithdrawals();
  }

  /** Reports of what this run never gave to anybody. */
  takeStrays(): readonly Stray[] {
    return this.#reports.takeStrays();
  }

  /** What all engines shall do from now on, when that has changed. */
  takeOrder(): Wanted | null {
    return this.#course.takeOrder();
  }

  #proceed(now: number): void {
    if (!this.#course.isRunning || this.#tasks.size > 0) return;
    if (this.#barriers.pass(now)) this.#proceed(now);
    else if (this.#endOfItems) this.#course.finish();
  }
}
