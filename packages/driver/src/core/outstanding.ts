import {
  type Attempt,
  type NeedsKey,
  type QueuedTask,
  type Task,
  attempt,
  encodeTask,
} from "@taskmuster/kvs/protocol";
import type { TaskItem } from "./task-file/item.js";
import type { TaskPolicy } from "./task-policy.js";

/** A task that was published and has not ended. Kept here too, so that it can be offered again whatever the store forgets. */
export interface Outstanding {
  readonly id: Task["id"];
  readonly line: number;
  readonly repeatIndex: number;
  readonly command: Uint8Array;
  readonly needs: NeedsKey;
  readonly attempt: Attempt;
  readonly policy: TaskPolicy;
  /** As its policy says; here so that it can be encoded as it is. */
  readonly timeoutMs: number | null;
  /** Unannounced losses of engines while it ran, as far as is known. */
  readonly losses: number;
  /** Those too in which it may have waited behind others. */
  readonly timesLost: number;
  /** Attempts that failed and used up a retry. The ledger has them. */
  readonly failed: readonly Attempt[];
}

/** As it is first offered. `inherited`: what is left of it from a driver before. */
export function outstandingOf(
  item: Pick<TaskItem, "id" | "line" | "repeatIndex" | "command">,
  needs: NeedsKey,
  policy: TaskPolicy,
  inherited: Pick<Outstanding, "attempt" | "losses" | "failed"> | null,
): Outstanding {
  return {
    id: item.id,
    line: item.line,
    repeatIndex: item.repeatIndex,
    command: item.command,
    needs,
    attempt: inherited?.attempt ?? attempt(1),
    policy,
    timeoutMs: policy.timeoutMs,
    losses: inherited?.losses ?? 0,
    timesLost: inherited?.losses ?? 0,
    failed: inherited?.failed ?? noAttempts,
  };
}

export function queuedTask(task: Outstanding): QueuedTask {
  return { id: task.id, attempt: task.attempt, needs: task.needs, body: encodeTask(task) };
}

export function nextAttempt(task: Outstanding): Outstanding {
  return { ...task, attempt: attempt(task.attempt + 1) };
}

/** The attempt after one that was lost with its engine. `counts`: it had started. */
export function attemptAfterLoss(task: Outstanding, counts: boolean): Outstanding {
  const { losses, timesLost } = task;
  return { ...nextAttempt(task), losses: losses + (counts ? 1 : 0), timesLost: timesLost + 1 };
}

/** The attempt after one that failed. */
export function retryOf(task: Outstanding): Outstanding {
  return { ...nextAttempt(task), failed: [...task.failed, task.attempt] };
}

const noAttempts: readonly Attempt[] = [];
