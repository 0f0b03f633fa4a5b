import { type TaskId, taskId } from "@taskmuster/kvs/protocol";
import type { StatusRow } from "./status-line/index.js";

interface RowPlace {
  readonly node: string;
  readonly pid: number;
}

const nothing = { outBytes: 0, outSnippet: "''", errBytes: 0, errSnippet: "''" } as const;

/** Start: when the barrier was reached; finish: when it was passed, or its check failed. Both in ms. */
export function barrierRow(
  item: { readonly id: TaskId; readonly line: number; readonly check: boolean; readonly text: Uint8Array },
  driver: RowPlace,
  reachedAt: number,
  now: number,
): StatusRow {
  return {
    kind: item.check ? "checkBarrier" : "barrier",
    id: item.id,
    line: item.line,
    repeatIndex: -1,
    node: driver.node,
    pid: driver.pid,
    returnCode: 0,
    elapsed: (now - reachedAt) / 1000,
    start: reachedAt / 1000,
    finish: now / 1000,
    ...nothing,
    command: item.text,
  };
}

/** The row of a task that is given up after too many losses: disBatch's row for a heart beat failure. */
export function lostRow(
  task: {
    readonly id: number;
    readonly line: number;
    readonly repeatIndex: number;
    readonly command: Uint8Array;
  },
  node: string,
  now: number,
): StatusRow {
  return {
    kind: "task",
    id: taskId(task.id),
    line: task.line,
    repeatIndex: task.repeatIndex,
    node,
    pid: -1,
    returnCode: -100,
    elapsed: 0,
    start: now / 1000,
    finish: now / 1000,
    ...nothing,
    command: task.command,
  };
}
