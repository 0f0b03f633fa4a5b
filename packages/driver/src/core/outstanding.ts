import {
  type Attempt,
  type NeedsKey,
  type QueuedTask,
  type Task,
  attempt,
  encodeTask,
} from "@taskmuster/kvs/protocol";

/** A task that was published and has not ended. Kept here too, so that it can be offered again whatever the store forgets. */
export interface Outstanding {
  readonly id: Task["id"];
  readonly line: number;
  readonly repeatIndex: number;
  readonly command: Uint8Array;
  readonly needs: NeedsKey;
  readonly attempt: Attempt;
  /** Unannounced losses of engines while it ran. */
  readonly losses: number;
}

export function queuedTask(task: Outstanding): QueuedTask {
  return { id: task.id, attempt: task.attempt, needs: task.needs, body: encodeTask(task) };
}

export function nextAttempt(task: Outstanding, lost: boolean): Outstanding {
  return { ...task, attempt: attempt(task.attempt + 1), losses: task.losses + (lost ? 1 : 0) };
}
