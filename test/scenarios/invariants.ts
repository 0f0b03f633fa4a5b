import type { Report } from "@taskmuster/kvs/protocol";
import type { StatusRow } from "../../packages/driver/src/core/status-line/index.js";

/** What must be true at every step of any scenario; throws when it is not. The names are those of docs/architecture.md. */
export class Invariants {
  readonly #running = new Map<string, Set<number>>();
  readonly #ended = new Set<number>();
  readonly #recorded = new Set<number>();
  readonly #barriers: readonly number[];

  /** `barriers`: their ids. */
  constructor(barriers: readonly number[]) {
    this.#barriers = barriers;
  }

  onLaunch(engine: string, slots: number, id: number): void {
    const here = this.#running.get(engine) ?? new Set<number>();
    this.#running.set(engine, here);
    for (const [other, tasks] of this.#running) {
      if (tasks.has(id))
        throw new Error(`two attempts of task ${id} run at the same time, on ${other} and ${engine}`);
    }
    here.add(id);
    if (here.size > slots) throw new Error(`${engine} runs ${here.size} tasks in ${slots} slots`);
    const barrier = this.#barriers.find((each) => each < id && !this.#ended.has(each));
    if (barrier !== undefined)
      throw new Error(`task ${id} starts although barrier ${barrier} has not been passed`);
  }

  onEnd(engine: string, id: number): void {
    if (this.#running.get(engine)?.delete(id) !== true)
      throw new Error(`${engine} ends task ${id}, which it does not run`);
  }

  /** All that it ran is dead. */
  onDeath(engine: string): void {
    this.#running.delete(engine);
  }

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

  onAcknowledge({ kind, id, outcome }: Report): void {
    if (kind !== "task" || outcome.kind === "cancelled" || outcome.kind === "lost") return;
    if (!this.#recorded.has(id)) throw new Error(`the end of task ${id} is acknowledged and not on disk`);
  }

  /** Every line of the list has its final row. */
  assertComplete(lines: number): void {
    for (let id = 0; id < lines; id++)
      if (!this.#ended.has(id)) throw new Error(`task ${id} has no final row`);
  }
}
