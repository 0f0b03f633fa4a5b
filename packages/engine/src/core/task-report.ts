import {
  type Outcome,
  type QueuedTask,
  type ReportKind,
  attempt,
  encodeReport,
  taskId,
} from "@taskmuster/kvs/protocol";
import type { TaskEnd } from "./engine-port.js";

/** What was launched: a task, or a PERENGINE command. */
export interface Launched {
  readonly kind: ReportKind;
  readonly id: number;
  readonly attempt: number;
  /** As it was claimed; null for PERENGINE commands. */
  readonly queued: QueuedTask | null;
}

const noBytes = new Uint8Array(0);

export function encodeTaskEnd(host: string, task: Launched, end: TaskEnd, outcome: Outcome): Uint8Array {
  // Written out: on the way of every task, copies of objects are what costs most.
  return encodeReport({
    kind: task.kind,
    id: taskId(task.id),
    attempt: attempt(task.attempt),
    host,
    pid: end.pid,
    outcome,
    start: end.start,
    end: end.end,
    elapsed: end.elapsed,
    out: end.out,
    err: end.err,
    lastWords: isFailure(outcome) ? end.lastWords : noBytes,
  });
}

/** What counts against the task. */
export function isFailure(outcome: Outcome): boolean {
  switch (outcome.kind) {
    case "exited":
      return outcome.code !== 0;
    case "signalled":
    case "failedToStart":
    case "timedOut":
      return true;
    case "lost":
    case "cancelled":
      return false;
  }
}

/** For people. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return `exit ${outcome.code}`;
    case "signalled":
      return `signal ${outcome.signal}`;
    case "failedToStart":
      return `it cannot be started: errno ${outcome.errno}`;
    case "timedOut":
      return `timed out, signal ${outcome.signal}`;
    case "lost":
    case "cancelled":
      return outcome.kind;
  }
}
