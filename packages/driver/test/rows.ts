import { taskId } from "@taskmuster/kvs/protocol";
import type { StatusRow } from "../src/core/status-line/index.js";

/** A row of a task that has succeeded; `id` is also what else must differ. */
export function row(id: number, more: Partial<StatusRow> = {}): StatusRow {
  return {
    kind: "task",
    id: taskId(id),
    line: id + 1,
    repeatIndex: -1,
    node: "vm",
    pid: 100 + id,
    returnCode: 0,
    elapsed: 1.5,
    start: 1000 + id,
    finish: 1001.5 + id,
    outBytes: 0,
    outSnippet: "''",
    errBytes: 0,
    errSnippet: "''",
    command: Buffer.from(`echo ${id}`),
    ...more,
  };
}
