import type { ClaimedTask, Report } from "@taskmuster/kvs/protocol";
import type { Withdrawal } from "./driver-values.js";
import type { Exceptions } from "./exceptions.js";
import type { Failures } from "./failures.js";
import type { Outstanding } from "./outstanding.js";
import type { OutstandingTasks } from "./outstanding-tasks.js";
import { isEnd } from "./report-end.js";
import type { Results } from "./results.js";
import type { RunCourse } from "./run-course.js";
import { lostRow } from "./run-rows.js";
import { type StatusRow, rowOfReport } from "./status-line/index.js";

export interface AttemptsParts {
  readonly tasks: OutstandingTasks;
  readonly results: Results;
  readonly failures: Failures;
  readonly exceptions: Exceptions;
  readonly course: RunCourse;
  /** So many losses of one task that had started are followed by another attempt. */
  readonly maxLosses: number;
  /** For rows that no engine tells. */
  readonly node: string;
}

/**
 * What the end of an attempt means for its task: its result, another attempt, or nothing any more, as a later attempt counts. In a run
 * that ends nothing is offered again: what is stopped or lost then has no row, so that a resumed run runs it.
 */
export class Attempts {
  readonly #tasks: OutstandingTasks;
  readonly #results: Results;
  readonly #failures: Failures;
  readonly #exceptions: Exceptions;
  readonly #course: RunCourse;
  readonly #maxLosses: number;
  readonly #node: string;
  readonly #withdrawals: Withdrawal[] = [];
  #retried = 0;

  constructor(parts: AttemptsParts) {
    this.#tasks = parts.tasks;
    this.#results = parts.results;
    this.#failures = parts.failures;
    this.#exceptions = parts.exceptions;
    this.#course = parts.course;
    this.#maxLosses = parts.maxLosses;
    this.#node = parts.node;
  }

  /** Failures that were not the last. */
  get retried(): number {
    return this.#retried;
  }

  takeWithdrawals(): readonly Withdrawal[] {
    return this.#withdrawals.splice(0);
  }

  /** What is lost is put into `lost`, for `onLost`. False: there is no such task. */
  onReport(report: Report, lost: Outstanding[]): boolean {
    const task = this.#tasks.get(report.id);
    if (task === undefined) {
      // Ended before: an older attempt that comes back late is told apart in the file; a repetition is not news.
      const recorded = this.#tasks.reoffered(report.id);
      if (recorded !== undefined && isNews(recorded, report)) this.#late(report, recorded);
      // What was stopped is none that ended, and not outstanding either.
      return !this.#course.isRunning || this.#results.has(report.id);
    }
    if (report.attempt !== task.attempt) this.#onLate(task, report);
    else if (isEnd(report)) this.#end(task, report);
    else {
      this.#exceptions.stopped(report);
      if (report.outcome.kind === "lost") lost.push(task);
      else this.#handBack(task);
    }
    return true;
  }

  onWithdrawn({ task, report }: Withdrawal, withdrawn: boolean): void {
    if (withdrawn && this.#tasks.has(task.id)) this.#return(task, report);
    else this.#late(report, task);
  }

  /** What an engine had claimed that is dead. `slots`: so many it had. */
  onEngineLost(claims: readonly ClaimedTask[], now: number, slots: number): void {
    const lost: Outstanding[] = [];
    for (const claim of claims) {
      const task = this.#tasks.get(claim.id);
      if (task?.attempt === claim.attempt) lost.push(task);
    }
    // Which of more than it had slots for have started, nobody is left to tell.
    this.onLost(lost, claims.length <= slots, now);
  }

  /** With one engine or launcher, all of them. `started`: for certain. */
  onLost(tasks: readonly Outstanding[], started: boolean, now: number): void {
    const again: Outstanding[] = [];
    for (const task of tasks) {
      // In a run that ends it may still be heard of.
      if (!this.#course.isRunning) return;
      // It was told of twice.
      if (this.#tasks.get(task.id) !== task) continue;
      const next = this.#tasks.lose(task, started);
      this.#results.lostOnce();
      // As `next`, which nobody runs: whatever attempt is heard of later is told apart in the file.
      if (next.losses > this.#maxLosses) this.#endWith(next, lostRow(next, this.#node, now), noWords);
      else again.push(next);
    }
    this.#tasks.offerLost(again);
  }

  /** What was given to a store that forgot, and nobody has, is offered again; answers attempts that count as given up: see `DriverCore`. */
  onSettled(): readonly ClaimedTask[] {
    const unsettled = this.#tasks.takeUnsettled();
    // The run ends, and whoever has it tells.
    if (!this.#course.isRunning) return [];
    for (const task of unsettled) this.#handBack(task);
    return unsettled.map(({ id, attempt }) => ({ id, attempt }));
  }

  #onLate(task: Outstanding, report: Report): void {
    if (!isNews(task, report)) return;
    const succeeded = report.outcome.kind === "exited" && report.outcome.code === 0;
    if (succeeded && this.#tasks.unoffer(task)) this.#return(task, report);
    else if (succeeded) this.#withdrawals.push({ task, report });
    else this.#late(report, task);
  }

  #late(report: Report, task: Outstanding): void {
    this.#results.late(rowOfReport(report, task, "zombie"));
  }

  /** An attempt that was given up counts after all. */
  #return(task: Outstanding, report: Report): void {
    this.#exceptions.returned(report);
    this.#end(task, report);
  }

  #end(task: Outstanding, report: Report): void {
    const row = rowOfReport(report, task, "task");
    if (row.returnCode !== 0 && task.failed.length < task.policy.retries) this.#retry(task, row.returnCode);
    else this.#endWith(task, row, report.lastWords);
  }

  /** That it failed is no result yet. In a run that ends it has none. */
  #retry(task: Outstanding, returnCode: number): void {
    this.#exceptions.failed(task, returnCode);
    this.#retried++;
    if (!this.#course.isRunning) return this.#tasks.delete(task);
    this.#tasks.retry(task);
    this.#results.retriedOnce();
  }

  /** It was not run to its end, for no fault of its own. */
  #handBack(task: Outstanding): void {
    if (this.#course.isRunning) this.#tasks.handBack(task);
    else this.#tasks.delete(task);
  }

  #endWith(task: Outstanding, row: StatusRow, lastWords: Uint8Array): void {
    this.#tasks.delete(task);
    if (!this.#results.end(row, lastWords)) return;
    this.#tasks.endedAs(task);
    if (row.returnCode !== 0) this.#failures.onTask(task.id, task.line);
  }
}

/** It tells how an attempt ended of which nothing is recorded yet. */
function isNews(task: Outstanding, report: Report): boolean {
  return report.attempt !== task.attempt && isEnd(report) && !task.failed.includes(report.attempt);
}

const noWords = new Uint8Array(0);
