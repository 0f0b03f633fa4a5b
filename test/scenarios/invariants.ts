import type { Report } from "@taskmuster/kvs/protocol";
import type { StatusRow } from "../../packages/driver/src/core/status-line/index.js";

/* What must be true at every step of any scenario; each throws when it is not. The names are those of docs/architecture.md. */

/** I2 and I5. */
export class RunningTasks {
  readonly #running = new Map<string, Set<number>>();

  onLaunch(engine: string, slots: number, id: number): void {
    const here = this.#running.get(engine) ?? new Set<number>();
    this.#running.set(engine, here);
    for (const [other, tasks] of this.#running) {
      if (tasks.has(id))
        throw new Error(`two attempts of task ${id} run at the same time, on ${other} and ${engine}`);
    }
    here.add(id);
    if (here.size > slots) throw new Error(`${engine} runs ${here.size} tasks in ${slots} slots`);
  }

  onEnd(engine: string, id: number): void {
    if (this.#running.get(engine)?.delete(id) !== true)
      throw new Error(`${engine} ends task ${id}, which it does not run`);
  }

  /** All that it ran is dead. */
  onDeath(engine: string): void {
    this.#running.delete(engine);
  }

  /** Where it runs; null: nowhere. */
  where(id: number): string | null {
    for (const [engine, tasks] of this.#running) if (tasks.has(id)) return engine;
    return null;
  }

  /** Any task below this number that runs; null: none does. */
  before(end: number): number | null {
    for (const tasks of this.#running.values()) for (const id of tasks) if (id < end) return id;
    return null;
  }
}

/** I1, and of I4 what rows can tell. */
export class FinalRows {
  readonly #ended = new Set<number>();
  readonly #recorded = new Set<number>();

  onRow(row: StatusRow): void {
    if (row.kind === "perEngine") return;
    this.#recorded.add(row.id);
    if (row.kind === "zombie") return;
    if (this.#ended.has(row.id)) throw new Error(`task ${row.id} has a second final row`);
    if (row.kind === "barrier" || row.kind === "checkBarrier") {
      for (let id = 0; id < row.id; id++) {
        if (!this.#ended.has(id)) throw new Error(`barrier ${row.id} is passed before task ${id} has ended`);
      }
    }
    this.#ended.add(row.id);
  }

  /** The ledger has it, and the task will be run again. */
  onFailedAttempt(id: number): void {
    if (this.#ended.has(id)) throw new Error(`task ${id} has ended and is to be run again`);
    this.#recorded.add(id);
  }

  /** It has its final row. */
  has(id: number): boolean {
    return this.#ended.has(id);
  }

  /** It has a row of whatever kind. */
  hasAny(id: number): boolean {
    return this.#recorded.has(id);
  }

  /** Every line of the list has its final row. */
  assertComplete(lines: number): void {
    for (let id = 0; id < lines; id++)
      if (!this.#ended.has(id)) throw new Error(`task ${id} has no final row`);
  }
}

/** Whether a task's end, told like this, must stand in the status file once it is acknowledged. */
export function isEnd({ kind, outcome }: Report): boolean {
  return kind === "task" && outcome.kind !== "cancelled" && outcome.kind !== "lost";
}

/** All of them for one run of one driver. */
export class Invariants {
  readonly #running = new RunningTasks();
  readonly #rows = new FinalRows();
  readonly #barriers: readonly number[];

  /** `barriers`: their ids. */
  constructor(barriers: readonly number[]) {
    this.#barriers = barriers;
  }

  onLaunch(engine: string, slots: number, id: number): void {
    this.#running.onLaunch(engine, slots, id);
    const barrier = this.#barriers.find((each) => each < id && !this.#rows.has(each));
    if (barrier !== undefined)
      throw new Error(`task ${id} starts although barrier ${barrier} has not been passed`);
  }

  onEnd(engine: string, id: number): void {
    this.#running.onEnd(engine, id);
  }

  /** All that it ran is dead. */
  onDeath(engine: string): void {
    this.#running.onDeath(engine);
  }

  onRow(row: StatusRow): void {
    this.#rows.onRow(row);
  }

  onFailedAttempt(id: number): void {
    this.#rows.onFailedAttempt(id);
  }

  onAcknowledge(report: Report): void {
    if (isEnd(report) && !this.#rows.hasAny(report.id))
      throw new Error(`the end of task ${report.id} is acknowledged and not on disk`);
  }

  /** Every line of the list has its final row. */
  assertComplete(lines: number): void {
    this.#rows.assertComplete(lines);
  }
}
