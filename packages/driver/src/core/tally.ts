import type { FailedTask, RecentFailure, RunView } from "./run-view.js";
import type { StatusRow } from "./status-line/index.js";

type Counts = Pick<
  RunView,
  | "done"
  | "failed"
  | "skipped"
  | "skippedFailed"
  | "lost"
  | "retried"
  | "perEngineFailed"
  | "taskSeconds"
  | "failures"
  | "recentFailures"
>;

/** Counts what a run tells at its end. */
export class Tally {
  #done = 0;
  #failed = 0;
  #skipped = 0;
  #skippedFailed = 0;
  #lost = 0;
  #retried = 0;
  #perEngineFailed = 0;
  #taskSeconds = 0;
  readonly #failures: FailedTask[] = [];
  readonly #recent: RecentFailure[] = [];

  get view(): Counts {
    return {
      done: this.#done,
      failed: this.#failed,
      skipped: this.#skipped,
      skippedFailed: this.#skippedFailed,
      lost: this.#lost,
      retried: this.#retried,
      perEngineFailed: this.#perEngineFailed,
      taskSeconds: this.#taskSeconds,
      failures: [...this.#failures],
      recentFailures: [...this.#recent],
    };
  }

  ended(row: StatusRow, lastWords: Uint8Array): void {
    this.#done++;
    this.#taskSeconds += row.elapsed;
    if (row.returnCode === 0) return;
    this.#failed++;
    this.#remember(row, lastWords, false);
  }

  skipped(returnCode: number): void {
    this.#skipped++;
    if (returnCode !== 0) this.#skippedFailed++;
  }

  perEngine(row: StatusRow, lastWords: Uint8Array): void {
    if (row.returnCode === 0) return;
    this.#perEngineFailed++;
    this.#remember(row, lastWords, true);
  }

  /** One attempt at a task was lost with its engine. */
  lostOnce(): void {
    this.#lost++;
  }

  /** One attempt at a task failed, and it is run again. */
  retriedOnce(): void {
    this.#retried++;
  }

  #remember(row: StatusRow, lastWords: Uint8Array, perEngine: boolean): void {
    const failure = {
      id: row.id,
      line: row.line,
      returnCode: row.returnCode,
      timedOut: row.kind === "timedOut",
      command: row.command.slice(0, mostCommandBytes),
      lastWords,
      perEngine,
    };
    if (this.#failures.length < mostFailures) this.#failures.push(failure);
    this.#recent.unshift({ ...failure, host: row.node, end: row.finish, elapsed: row.elapsed });
    if (this.#recent.length > mostRecent) this.#recent.pop();
  }
}

const mostFailures = 10;
const mostRecent = 30;
const mostCommandBytes = 200;
