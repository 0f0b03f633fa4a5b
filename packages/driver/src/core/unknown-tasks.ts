import { type ClaimedTask, attempt, taskId } from "@taskmuster/kvs/protocol";
import type { Inheritance } from "./inheritance.js";
import type { Item } from "./task-file/index.js";
import { quietWindow } from "./ledger-entry.js";

/** Tasks that a driver may have published and that have no row: some of them may have begun. As an entry of the ledger has them. */
export class UnknownTasks {
  readonly ids: [first: number, last: number][] = [];
  readonly tasks: { readonly id: number; readonly attempt: number }[] = [];
  readonly #inherited: Inheritance;
  #left: number;
  #barred = false;

  /** `window`: so many were handed out at a time; null: the ledger does not say. */
  constructor(inherited: Inheritance, window: number | null) {
    this.#inherited = inherited;
    this.#left = window ?? quietWindow;
  }

  /** To be called for each item in order. `hasEnded`: it has a row. */
  look(item: Item, hasEnded: boolean): void {
    if (item.kind === "barrier" && !hasEnded && !this.#inherited.wasPassed(item.id)) {
      // It was not passed unless all before it have ended, and then its row may be missing.
      this.#barred ||= this.count > 0;
    }
    if (item.kind !== "task" || hasEnded || this.#barred || this.#left === 0) return;
    this.#left--;
    const tried = this.#inherited.find(item.id)?.attempt ?? 1;
    const last = this.ids.at(-1);
    if (tried > 1) this.tasks.push({ id: item.id, attempt: tried });
    else if (last !== undefined && last[1] === item.id - 1) last[1] = item.id;
    else this.ids.push([item.id, item.id]);
  }

  *all(): Generator<ClaimedTask> {
    for (const task of this.tasks) yield { id: taskId(task.id), attempt: attempt(task.attempt) };
    for (const [first, last] of this.ids) {
      for (let id = first; id <= last; id++) yield { id: taskId(id), attempt: attempt(1) };
    }
  }

  get count(): number {
    return this.ids.reduce((sum, [first, last]) => sum + last - first + 1, this.tasks.length);
  }
}
