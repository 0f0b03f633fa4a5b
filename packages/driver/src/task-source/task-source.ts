import type { Item } from "../core/task-file/index.js";

/** Where the items of a list come from. One reader at a time. */
export interface TaskSource {
  /** `DISBATCH_NAMETASKS`. */
  readonly name: string;
  /**
   * The next items, at most `max`. Waits only while there are none at all; empty: the list is at its end.
   * Throws `TaskmusterError` (E_TASK_FILE) when it cannot be read on.
   */
  read(max: number): Promise<readonly Item[]>;
  /** A `read` that waits returns empty. */
  close(): Promise<void>;
}
