import type { TaskStatus } from "./public.js";

/** Results that have come: by id for ever, and those that nobody has been given yet, in their order. */
export class ResultBox {
  readonly #all = new Map<number, TaskStatus>();
  readonly #fresh = new Map<number, TaskStatus>();

  add(status: TaskStatus): void {
    this.#all.set(status.TaskId, status);
    this.#fresh.set(status.TaskId, status);
  }

  /** Gives this one. */
  take(id: number): TaskStatus | undefined {
    const status = this.#all.get(id);
    if (status !== undefined) this.#fresh.delete(id);
    return status;
  }

  /** Gives the oldest that nobody has. */
  takeAny(): TaskStatus | undefined {
    for (const id of this.#fresh.keys()) return this.take(id);
    return undefined;
  }
}
