import type { Report } from "@taskmuster/kvs/protocol";
import { type FailedAttempt, type LedgerTask, quietWindow } from "./ledger-entry.js";

/** What happened to single tasks, beyond their having a row: for the ledger. */
export type TaskExceptions =
  | {
      readonly kind: "stoppedTasks";
      readonly host: string;
      /** With their launcher; else we, or a scheduler, stopped them. */
      readonly lost: boolean;
      readonly tasks: readonly LedgerTask[];
    }
  | { readonly kind: "returned"; readonly tasks: readonly LedgerTask[] }
  | { readonly kind: "retries"; readonly tasks: readonly FailedAttempt[] }
  | { readonly kind: "window"; readonly tasks: number };

/** Gathers them until they are taken: those of a kind and host together. */
export class Exceptions {
  readonly #stopped = new Map<
    string,
    { readonly host: string; readonly lost: boolean; tasks: LedgerTask[] }
  >();
  #returned: LedgerTask[] = [];
  #failed: FailedAttempt[] = [];
  #window = quietWindow;
  #toldWindow = quietWindow;

  /** An attempt that has not ended by itself. */
  stopped({ id, attempt, host, outcome }: Report): void {
    const lost = outcome.kind === "lost";
    const key = `${String(lost)} ${host}`;
    const group = this.#stopped.get(key) ?? { host, lost, tasks: [] };
    group.tasks.push({ id, attempt });
    this.#stopped.set(key, group);
  }

  /** One that was given up, and counts after all. */
  returned({ id, attempt }: Report): void {
    this.#returned.push({ id, attempt });
  }

  /** An attempt that failed and is not the last: it has no row. */
  failed({ id, attempt }: LedgerTask, returnCode: number): void {
    this.#failed.push({ id, attempt, returnCode });
  }

  /** So many tasks are handed out and have not ended. */
  outstanding(tasks: number): void {
    while (tasks > this.#window) this.#window *= 2;
  }

  take(): readonly TaskExceptions[] {
    const taken: TaskExceptions[] = [];
    for (const { host, lost, tasks } of this.#stopped.values()) {
      taken.push({ kind: "stoppedTasks", host, lost, tasks });
    }
    this.#stopped.clear();
    if (this.#returned.length > 0) taken.push({ kind: "returned", tasks: this.#returned });
    this.#returned = [];
    if (this.#failed.length > 0) taken.push({ kind: "retries", tasks: this.#failed });
    this.#failed = [];
    if (this.#window > this.#toldWindow) taken.push({ kind: "window", tasks: this.#window });
    this.#toldWindow = this.#window;
    return taken;
  }
}
