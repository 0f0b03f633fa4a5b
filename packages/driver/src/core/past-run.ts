import type { Barriers } from "./barriers.js";
import type { Failures } from "./failures.js";
import type { Inherited } from "./inheritance.js";
import type { OutstandingTasks } from "./outstanding-tasks.js";
import type { Results } from "./results.js";
import type { StatusRow } from "./status-line/index.js";
import type { BarrierItem, TaskItem } from "./task-file/index.js";

export interface PastRunParts {
  readonly tasks: OutstandingTasks;
  readonly results: Results;
  readonly failures: Failures;
  readonly barriers: Barriers;
}

/** What a driver before this one has done of the run that this one has taken over. */
export class PastRun {
  readonly #parts: PastRunParts;

  constructor(parts: PastRunParts) {
    this.#parts = parts;
  }

  /** Whether it has ended, or an engine has it. */
  isKnown(id: number): boolean {
    return this.#parts.results.has(id) || this.#parts.tasks.has(id);
  }

  /** One that it has written. `givenUp`: late reports of this task may come. */
  onRow(row: StatusRow, givenUp: boolean): void {
    const { results, barriers, failures } = this.#parts;
    if (!results.addPast(row, givenUp)) return;
    if (row.kind === "barrier" || row.kind === "checkBarrier") barriers.onPastRow(row);
    else if (row.returnCode !== 0) failures.onRow(row.id, row.line);
  }

  /** A task that has a row, but attempts of it were given up: late reports of those are told apart. */
  onReofferedTask(item: TaskItem, inherited: Inherited): void {
    this.#parts.tasks.addReoffered(item, inherited);
  }

  /** One that it has passed, whether it came to write that down or not. `now` in ms since 1970. */
  onBarrier(item: BarrierItem, now: number): void {
    this.#parts.barriers.onPast(item, now);
  }
}
