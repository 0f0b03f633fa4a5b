import type { ClaimedTask } from "@taskmuster/kvs/protocol";
import type { Outstanding } from "./outstanding.js";

/** Tasks that were given to a store which has forgotten, and of which nobody has said yet that it has them. */
export class Unsettled {
  readonly #tasks = new Map<number, Outstanding>();

  add(tasks: Iterable<Outstanding>): void {
    for (const task of tasks) this.#tasks.set(task.id, task);
  }

  /** An engine has these; whatever becomes of them it will tell. */
  onAnnounced(claims: readonly ClaimedTask[]): void {
    for (const { id, attempt } of claims)
      if (this.#tasks.get(id)?.attempt === attempt) this.#tasks.delete(id);
  }

  /** Everybody who could has said what they have. */
  takeAll(): readonly Outstanding[] {
    const all = [...this.#tasks.values()];
    this.#tasks.clear();
    return all;
  }
}
