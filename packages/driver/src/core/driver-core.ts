import {
  type ClaimedTask,
  type EngineId,
  type NeedsKey,
  type Report,
  type Wanted,
} from "@taskmuster/kvs/protocol";
import type { PerEngineLines, Publish, ReceivedFrom, Stray, Withdrawal } from "./driver-values.js";
import { type EndReason, isStop } from "./end-reason.js";
import { Exceptions, type TaskExceptions } from "./exceptions.js";
import { isEnd } from "./report-end.js";
import type { Inherited } from "./inheritance.js";
import {
  type Outstanding,
  attemptAfterLoss,
  nextAttempt,
  outstandingOf,
  queuedTask,
  retryOf,
} from "./outstanding.js";
import { Retries, retryDelayMs } from "./retries.js";
import { PastRows } from "./past-rows.js";
import { PublishOrder } from "./publish-order.js";
import { barrierRow, lostRow } from "./run-rows.js";
import type { RunView } from "./run-view.js";
import { type CopiedRows, type StatusRow, rowOfReport } from "./status-line/index.js";
import { Suspects } from "./suspects.js";
import { Tally } from "./tally.js";
import type { Item } from "./task-file/index.js";
import { Policies, type TaskPolicy, plainPolicy } from "./task-policy.js";
import { TaskBits } from "./task-bits.js";
import { TaskTable } from "./task-table.js";
import { Unsettled } from "./unsettled.js";
import { Window } from "./window.js";

export type { PerEngineLines, Publish, ReceivedFrom, Withdrawal } from "./driver-values.js";

/*
 * The driver without sockets, files or clocks: what is published, what has ended, and what that means. The shell feeds it items
 * of the list, reports and orders, and carries out what it asks for (`take…`). `now` is in ms since 1970.
 *
 *   running ──(list at its end and everything ended, or drain)──> draining ──(no context left)──> ended
 *      └───────(stop: a signal, fail-fast, BARRIER CHECK, …)────> stopping ──(no context left)──> ended
 *
 * Invariants: a task is outstanding from when it is read until it has its final row, so nothing is
 * published past a barrier; a task gets one final row (`#ended`); the window bounds what is outstanding.
 */

export interface DriverCoreOptions {
  readonly needs: NeedsKey;
  readonly failFast: boolean;
  /** So many unannounced losses of one task that had started are retried. */
  readonly maxLosses: number;
  /** Of tasks of which no directive says otherwise. */
  readonly policy?: TaskPolicy;
  /** For barrier rows, which are the driver's own. */
  readonly node: string;
  readonly pid: number;
}

type TaskItem = Extract<Item, { kind: "task" }>;
type BarrierItem = Extract<Item, { kind: "barrier" }>;

export class DriverCore {
  readonly #options: DriverCoreOptions;
  readonly #perEngine: PerEngineLines;
  readonly #outstanding = new TaskTable<Outstanding>();
  readonly #reoffered = new Map<number, Outstanding>();
  /** Outstanding too. */
  readonly #retries = new Retries<Outstanding>();
  readonly #suspects: Suspects<Outstanding>;
  readonly #policies: Policies;
  /** Failures that were not the last. */
  #retried = 0;
  readonly #ended = new TaskBits();
  readonly #window = new Window();
  readonly #tally = new Tally();
  readonly #lastReport = new Map<EngineId, number>();
  readonly #perEngineReports = new Map<EngineId, number>();
  readonly #unsettled = new Unsettled();
  #outstandingBytes = 0;
  readonly #back: Outstanding[] = [];
  readonly #front: Outstanding[] = [];
  #rows: (StatusRow | CopiedRows)[] = [];
  readonly #posts: { readonly key: string; readonly value: string }[] = [];
  readonly #withdrawals: Withdrawal[] = [];
  readonly #exceptions = new Exceptions();
  readonly #strays: Stray[] = [];
  #order: Wanted | null = null;
  #barrier: { readonly item: BarrierItem; readonly reachedAt: number } | null = null;
  #failedSinceBarrier = false;
  #highestFailed = -1;
  readonly #past = new PastRows();
  #endOfItems = false;
  #badInput = false;
  /** One above the highest id that was read. */
  #ids = 0;
  #held: string | null = null;
  #unrecorded = 0;
  #phase: RunView["phase"] = "running";
  #reason: EndReason | null = null;
  #slots = 0;
  #peakSlots = 0;
  #engines = 0;
  #claimed = 0;
  #published = 0;
  /** By `takePublish`, the last time, and where it stood. */
  #taken: { readonly list: Outstanding[]; readonly tasks: readonly Outstanding[] } | null = null;
  /** Null: tasks are published in the order of the list. */
  #mixing: PublishOrder | null = null;

  constructor(options: DriverCoreOptions, perEngine: PerEngineLines) {
    this.#options = options;
    this.#perEngine = perEngine;
    this.#suspects = new Suspects(options.maxLosses);
    this.#policies = new Policies(options.policy ?? plainPolicy);
  }

  /** True: there is room in the window, and nothing stands in the way of the next line. */
  get wantsItems(): boolean {
    if (this.#phase !== "running" || this.#endOfItems || this.#barrier !== null) return false;
    if (this.#held !== null) return false;
    return this.#active < this.#window.tasks && this.#outstandingBytes < this.#window.bytes;
  }

  get roomForItems(): number {
    return this.wantsItems ? this.#window.tasks - this.#active : 0;
  }

  /** For so long the engines have enough to do, and half of the window beyond: reports may be gathered before they are taken. */
  get spareMs(): number {
    const spare = this.#active - this.#window.tasks / 2;
    return this.#phase === "running" && spare > 0 ? this.#window.msFor(spare) : 0;
  }

  get phase(): RunView["phase"] {
    return this.#phase;
  }

  get reason(): EndReason | null {
    return this.#reason;
  }

  get view(): RunView {
    return {
      ...this.#tally.view,
      outstanding: this.#outstanding.size,
      running: Math.min(this.#slots, Math.min(this.#claimed, this.#outstanding.size)),
      slots: this.#slots,
      peakSlots: this.#peakSlots,
      engines: this.#engines,
      unrecorded: this.#unrecorded,
      atBarrier: this.#barrier?.item.id ?? null,
      held: this.#held,
      phase: this.#phase,
      reason: this.#reason,
    };
  }

  /** What was read of the list: `ids` of tasks and barriers, and whether that is all. */
  get listRead(): { readonly ids: number; readonly whole: boolean } {
    return { ids: this.#ids, whole: this.#endOfItems && !this.#badInput };
  }

  /** No task from this id on has been published. */
  get published(): number {
    return this.#published;
  }

  /** From now on tasks that lie near each other in the list are published in random order. */
  mixTasks(): void {
    this.#mixing ??= new PublishOrder();
  }

  /** `inherited`: what a driver before this one left of it. */
  onTask(item: TaskItem, inherited: Inherited | null = null): void {
    const task = this.#first(item, inherited);
    this.sawItem(item.id);
    this.#outstanding.set(task.id, task);
    this.#outstandingBytes += task.command.byteLength;
    if (inherited?.held !== true) this.#back.push(task);
    if (task.attempt > 1) this.#reoffered.set(task.id, task);
    this.#exceptions.outstanding(this.#outstanding.size);
  }

  /** This task or barrier was read from the list. */
  sawItem(id: number): void {
    this.#ids = Math.max(this.#ids, id + 1);
  }

  #first(item: TaskItem, inherited: Inherited | null): Outstanding {
    return outstandingOf(item, this.#options.needs, this.#policies.of(item.rules), inherited);
  }

  /** Whether it has ended, or an engine has it: of a run that was taken over. */
  isKnown(id: number): boolean {
    return this.#ended.has(id) || this.#outstanding.has(id);
  }

  /** A row that a driver before this one has written. `givenUp`: late reports of this task may come. */
  onPastRow(row: StatusRow, givenUp: boolean): void {
    if (givenUp || row.kind === "perEngine" || row.kind === "zombie") this.#past.add(row);
    if (row.kind === "zombie") return;
    if (row.kind === "perEngine") {
      this.#tally.perEngine(row, new Uint8Array(0));
      if (row.returnCode !== 0) this.#onFailure(row.id, row.line);
      return;
    }
    if (!this.#ended.add(row.id)) return;
    if (row.kind === "barrier" || row.kind === "checkBarrier") {
      const failed = row.kind === "checkBarrier" && this.#failedSinceBarrier;
      this.#failedSinceBarrier = false;
      // It died before it could say so.
      if (failed) this.stop({ kind: "barrierCheck", id: row.id, line: row.line });
      return;
    }
    if (row.kind === "skipped") this.#tally.skipped(row.returnCode);
    else this.#tally.ended(row, new Uint8Array(0));
    if (row.returnCode !== 0) this.#onFailure(row.id, row.line);
  }

  /** A task that has a row, but attempts of it were given up: late reports of those are told apart. */
  onPastTask(item: TaskItem, inherited: Inherited): void {
    this.#reoffered.set(item.id, this.#first(item, inherited));
  }

  /** A barrier that a driver before this one has passed, whether it came to write that down or not. */
  onPastBarrier(item: BarrierItem, now: number): void {
    this.sawItem(item.id);
    if (!this.#ended.add(item.id)) return;
    this.#rows.push(barrierRow(item, this.#options, now, now));
    this.#failedSinceBarrier = this.#highestFailed > item.id;
  }

  /** A task that an earlier run has done. That run's row, which is to stand in this run's file too, comes with `onCopied`. */
  onSkipped(id: number, line: number, returnCode: number): void {
    this.sawItem(id);
    this.#ended.add(id);
    this.#tally.skipped(returnCode);
    if (returnCode !== 0) this.#onFailure(id, line);
  }

  onCopied(rows: CopiedRows): void {
    this.#rows.push(rows);
  }

  onBarrier(item: BarrierItem, now: number): void {
    this.sawItem(item.id);
    this.#barrier = { item, reachedAt: now };
    this.#proceed(now);
  }

  onEndOfItems(now: number): void {
    this.#endOfItems = true;
    this.#proceed(now);
  }

  /** The list cannot be read on. What was read before runs to its end. */
  onBadInput(message: string, now: number): void {
    this.#endOfItems = true;
    this.#badInput = true;
    this.#reason ??= { kind: "badInput", message };
    this.#proceed(now);
  }

  onReports(received: readonly ReceivedFrom[], now: number): void {
    const before = this.#ended.count + this.#retried;
    const lost: Outstanding[] = [];
    for (const { engine, number, report } of received) {
      // A store that forgot is told again; an engine counts its reports without gaps.
      if (number <= (this.#lastReport.get(engine) ?? 0)) continue;
      this.#lastReport.set(engine, number);
      if (report.kind !== "task")
        this.#perEngineReports.set(engine, (this.#perEngineReports.get(engine) ?? 0) + 1);
      const isOurs =
        report.kind === "task"
          ? this.#onTaskReport(report, lost)
          : this.#onPerEngineReport(report, report.kind);
      if (!isOurs && this.#strays.length < mostStrays)
        this.#strays.push({ engine, what: `there is no ${report.kind} ${report.id}` });
    }
    if (lost.length > 0) this.#onLost(lost, true, now);
    this.#window.tasksEnded(this.#ended.count + this.#retried - before, now);
    this.#proceed(now);
  }

  onWithdrawn(withdrawal: Withdrawal, withdrawn: boolean, now: number): void {
    const { task, report } = withdrawal;
    if (withdrawn && this.#outstanding.has(task.id)) this.#return(task, report);
    else this.#late(report, task);
    this.#proceed(now);
  }

  /** An engine is dead, by proof or because its lease ran out; what it had claimed is offered again. `slots`: so many it had. */
  onEngineLost(claims: readonly ClaimedTask[], now: number, slots = Infinity): void {
    const lost: Outstanding[] = [];
    for (const claim of claims) {
      const task = this.#outstanding.get(claim.id);
      if (task?.attempt === claim.attempt) lost.push(task);
    }
    // Which of more than it had slots for have started, nobody is left to tell.
    this.#onLost(lost, claims.length <= slots, now);
    this.#proceed(now);
  }

  /** The store has forgotten: whoever has what was published, or nobody, has to be found out. */
  onForgotten(): void {
    const never = new Set([
      ...this.#front,
      ...this.#back,
      ...this.#retries.tasks(),
      ...this.#suspects.tasks(),
    ]);
    const published = [...this.#outstanding.values()].filter((task) => !never.has(task));
    this.#unsettled.add(published);
  }

  /** An engine that came back to the store has these. */
  onAnnounced(claims: readonly ClaimedTask[]): void {
    this.#unsettled.onAnnounced(claims);
  }

  /**
   * All who could have come back: what nobody has announced is offered again. `certain`: nobody has run it either; else it may have been an engine's
   * that is dead by now. Answers attempts that were given up for that.
   */
  onSettled(certain: boolean): readonly ClaimedTask[] {
    const givenUp: ClaimedTask[] = [];
    for (const task of this.#unsettled.takeAll()) {
      // It has ended meanwhile, or was lost with an engine that had announced it; or the run ends, and whoever has it tells.
      if (this.#outstanding.get(task.id) !== task || this.#phase !== "running") continue;
      if (certain) this.#front.push(task);
      else {
        givenUp.push({ id: task.id, attempt: task.attempt });
        this.#onHandedBack(task);
      }
    }
    return givenUp;
  }

  /** Of a task each: ends that this engine has told. */
  tasksReportedBy(engine: EngineId): number {
    return (this.#lastReport.get(engine) ?? 0) - (this.#perEngineReports.get(engine) ?? 0);
  }

  /** Offers again what has waited for its retry. `now` in ms, monotonic. Answers ms until this is to be called again; null: nothing waits. */
  onClock(now: number): number | null {
    for (const task of this.#retries.takeDue(now)) this.#offer(task);
    return this.#retries.msToNext(now);
  }

  onMembers(members: { readonly engines: number; readonly slots: number; readonly claimed: number }): void {
    this.#engines = members.engines;
    this.#slots = members.slots;
    this.#peakSlots = Math.max(this.#peakSlots, members.slots);
    this.#claimed = members.claimed;
    this.#window.setSlots(members.slots);
  }

  /** Nothing new is handed out as long as `why`, for people, is not null: rows cannot be written. */
  hold(why: string | null): void {
    this.#held = why;
  }

  /** The rows of so many tasks that ended could not be written, and will not be. */
  onUnrecorded(tasks: number): void {
    this.#unrecorded = tasks;
  }

  /** Lets what runs end and starts nothing more. */
  drain(signal: string): void {
    if (this.#phase !== "running") return;
    this.#finish("draining", { kind: "drained", signal }, "drain");
  }

  /** Stops what runs. The first reason to stop is kept. */
  stop(reason: EndReason): void {
    if (this.#phase === "stopping" || this.#phase === "ended") return;
    const kept = this.#reason !== null && isStop(this.#reason) ? this.#reason : reason;
    this.#finish("stopping", kept, "stop");
  }

  /** Nobody is left to run anything, and nobody will come. Who joins this very moment is told to go. */
  noEngines(message: string): void {
    if (this.#phase !== "running") return;
    // A list that has a bad line says so rather than that nobody is there to run what came before.
    this.#finish("stopping", this.#reason ?? { kind: "noEngines", message }, "stop");
  }

  /** Every engine is gone and every report of theirs has been received. */
  onNobodyLeft(): void {
    this.noEngines("");
    this.#phase = "ended";
  }

  takePublish(maxTasks: number, maxBytes: number): Publish | null {
    const where = this.#front.length > 0 ? "front" : "back";
    const list = where === "front" ? this.#front : this.#back;
    if (list.length === 0 || this.#phase !== "running" || this.#held !== null) return null;
    const mixing = where === "back" ? this.#mixing : null;
    mixing?.shuffle(list);
    let bytes = 0;
    let count = 0;
    while (count < list.length && count < maxTasks && bytes < maxBytes) {
      const task = list[count++];
      if (task === undefined) break;
      bytes += task.command.byteLength;
      if (task.id >= this.#published) this.#published = task.id + 1;
    }
    this.#taken = { list, tasks: list.splice(0, count) };
    return { tasks: this.#taken.tasks.map(queuedTask), where: mixing?.where() ?? where };
  }

  /** What was taken last has not been published: the store had no room. */
  onNotPublished(): void {
    const taken = this.#taken;
    this.#taken = null;
    taken?.list.unshift(...taken.tasks);
  }

  takeRows(): readonly (StatusRow | CopiedRows)[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  takePosts(): readonly { readonly key: string; readonly value: string }[] {
    return this.#posts.splice(0);
  }

  /** For the ledger, before what `takePublish` answers is published. */
  takeExceptions(): readonly TaskExceptions[] {
    return this.#exceptions.take();
  }

  takeWithdrawals(): readonly Withdrawal[] {
    return this.#withdrawals.splice(0);
  }

  /** Reports of what this run never gave to anybody. */
  takeStrays(): readonly Stray[] {
    return this.#strays.splice(0);
  }

  /** What all engines shall do from now on, when that has changed. */
  takeOrder(): Wanted | null {
    const order = this.#order;
    this.#order = null;
    return order;
  }

  /** What is outstanding, but for what waits here: that needs no engine, so it takes no room from what does. */
  get #active(): number {
    return this.#outstanding.size - Math.min(this.#retries.size + this.#suspects.waiting, mostWaiting);
  }

  /** What is lost is put into `lost`. False: there is no such task. */
  #onTaskReport(report: Report, lost: Outstanding[]): boolean {
    const task = this.#outstanding.get(report.id);
    if (task === undefined) {
      // Ended before: an older attempt that comes back late is told apart in the file; a repetition is not news.
      const recorded = this.#reoffered.get(report.id);
      if (recorded !== undefined && isNews(recorded, report)) {
        this.#late(report, recorded);
      }
      // What was stopped is none that ended, and not outstanding either.
      return this.#phase !== "running" || this.#ended.has(report.id);
    }
    if (report.attempt !== task.attempt) this.#onLateReport(task, report);
    else if (isEnd(report)) this.#end(task, report);
    else {
      this.#exceptions.stopped(report);
      if (report.outcome.kind === "lost") lost.push(task);
      else this.#onHandedBack(task);
    }
    return true;
  }

  #onLateReport(task: Outstanding, report: Report): void {
    if (!isNews(task, report)) return;
    const succeeded = report.outcome.kind === "exited" && report.outcome.code === 0;
    if (succeeded && this.#unoffer(task)) this.#return(task, report);
    else if (succeeded) this.#withdrawals.push({ task, report });
    else this.#late(report, task);
  }

  #late(report: Report, task: Outstanding): void {
    const row = rowOfReport(report, task, "zombie");
    if (!this.#past.has(row)) this.#rows.push(row);
  }

  /** True: it had not been published, and will not be. */
  #unoffer(task: Outstanding): boolean {
    for (const list of [this.#front, this.#back]) {
      const unpublished = list.indexOf(task);
      if (unpublished === -1) continue;
      list.splice(unpublished, 1);
      return true;
    }
    return this.#retries.remove(task) || this.#suspects.remove(task);
  }

  /** False: there is no such command. */
  #onPerEngineReport(report: Report, kind: "start" | "stop"): boolean {
    const command = this.#perEngine[kind][report.id];
    if (command === undefined) return false;
    if (!isEnd(report)) return true;
    const row = rowOfReport(report, { ...command, repeatIndex: -1 }, "perEngine");
    if (this.#past.has(row)) return true;
    this.#rows.push(row);
    this.#tally.perEngine(row, report.lastWords);
    if (row.returnCode !== 0) this.#onFailure(row.id, row.line);
    return true;
  }

  #return(task: Outstanding, report: Report): void {
    this.#exceptions.returned(report);
    this.#end(task, report);
  }

  #end(task: Outstanding, report: Report): void {
    const row = rowOfReport(report, task, "task");
    if (row.returnCode !== 0 && task.failed.length < task.policy.retries) this.#retry(task, row.returnCode);
    else this.#endWith(task, row, report.lastWords);
  }

  /** That it failed is no result yet. In a run that ends it has none, so that a resumed run runs it. */
  #retry(task: Outstanding, returnCode: number): void {
    this.#exceptions.failed(task, returnCode);
    this.#retried++;
    if (this.#phase !== "running") return this.#forget(task);
    this.#onAttemptOver(task);
    const next = retryOf(task);
    this.#outstanding.set(task.id, next);
    this.#retries.add(next, retryDelayMs(task.policy.retryDelayMs, next.failed.length, task.id));
    this.#tally.retriedOnce();
  }

  #endWith(task: Outstanding, row: StatusRow, lastWords: Uint8Array): void {
    this.#forget(task);
    if (!this.#ended.add(task.id)) return;
    if (this.#reoffered.has(task.id)) this.#reoffered.set(task.id, task);
    this.#rows.push(row);
    this.#tally.ended(row, lastWords);
    if (row.returnCode === 0) return;
    this.#highestFailed = Math.max(this.#highestFailed, task.id);
    this.#onFailure(task.id, task.line);
  }

  #onHandedBack(task: Outstanding): void {
    // Stopped with the run: it has no row, so that a resumed run runs it.
    if (this.#phase !== "running") return this.#forget(task);
    this.#onAttemptOver(task);
    const next = nextAttempt(task);
    this.#reoffered.set(task.id, next);
    this.#outstanding.set(task.id, next);
    this.#offer(next);
  }

  /** With one engine or launcher, all of them. `started`: for certain. */
  #onLost(tasks: readonly Outstanding[], started: boolean, now: number): void {
    const again: Outstanding[] = [];
    for (const task of tasks) {
      // In a run that ends it may still be heard of.
      if (this.#phase !== "running") return;
      // It was told of twice.
      if (this.#outstanding.get(task.id) !== task) continue;
      this.#onAttemptOver(task);
      // One that waited behind others each time would be no small coincidence.
      const next = attemptAfterLoss(task, started || task.timesLost > 0);
      this.#reoffered.set(task.id, next);
      this.#tally.lostOnce();
      if (next.losses > this.#options.maxLosses) {
        // As `next`, which nobody runs: whatever attempt is heard of later is told apart in the file.
        this.#endWith(next, lostRow(next, this.#options.node, now), new Uint8Array(0));
        continue;
      }
      this.#outstanding.set(task.id, next);
      again.push(next);
    }
    this.#suspects.onLost(again);
    for (const task of again) this.#offer(task);
  }

  #offer(task: Outstanding): void {
    if (this.#suspects.offer(task)) this.#front.push(task);
  }

  /** One that is a suspect makes room for another. */
  #onAttemptOver(task: Outstanding): void {
    if (!this.#suspects.isEmpty) this.#front.push(...this.#suspects.attemptOver(task.id));
  }

  #forget(task: Outstanding): void {
    if (!this.#outstanding.delete(task.id)) return;
    this.#outstandingBytes -= task.command.byteLength;
    if (!this.#suspects.isEmpty) this.#front.push(...this.#suspects.ended(task.id));
  }

  #onFailure(id: number, line: number): void {
    this.#failedSinceBarrier = true;
    if (this.#options.failFast) this.stop({ kind: "failFast", id, line });
  }

  #proceed(now: number): void {
    if (this.#phase !== "running" || this.#outstanding.size > 0) return;
    if (this.#barrier !== null) this.#passBarrier(this.#barrier.item, this.#barrier.reachedAt, now);
    else if (this.#endOfItems) this.#finish("draining", this.#reason ?? { kind: "finished" }, "drain");
  }

  #passBarrier(item: BarrierItem, reachedAt: number, now: number): void {
    const failed = item.check && this.#failedSinceBarrier;
    this.#barrier = null;
    this.#ended.add(item.id);
    this.#rows.push(barrierRow(item, this.#options, reachedAt, now));
    if (failed) return this.stop({ kind: "barrierCheck", id: item.id, line: item.line });
    this.#failedSinceBarrier = false;
    if (item.key !== null) this.#posts.push({ key: item.key, value: String(item.id) });
    this.#proceed(now);
  }

  #finish(phase: "draining" | "stopping", reason: EndReason, order: Wanted): void {
    this.#phase = phase;
    this.#reason = reason;
    this.#order = order;
    this.#retries.clear();
    this.#suspects.clear();
  }
}

/** Only the first is told. */
const mostStrays = 100;

/** It tells how an attempt ended of which nothing is recorded yet. */
function isNews(task: Outstanding, report: Report): boolean {
  return report.attempt !== task.attempt && isEnd(report) && !task.failed.includes(report.attempt);
}

/** So many tasks may wait for their retries beside what the window lets in. */
const mostWaiting = 10_000;
