import { type StatusRow, rowFlags } from "./status-line/index.js";
import { textOfPythonRepr } from "./status-line/python-str.js";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * What the program that submitted a task gets of its end: disBatch's status dictionary, in JSON. Null for a row that is no task's: barriers,
 * PERENGINE commands (whose ids count on their own) and late ends of attempts that were given up.
 */
export function resultStatus(row: StatusRow): string | null {
  if (row.kind !== "task" && row.kind !== "timedOut" && row.kind !== "skipped") return null;
  return JSON.stringify({
    Flags: rowFlags(row),
    TaskId: row.id,
    TaskStreamIndex: row.line,
    TaskRepIndex: row.repeatIndex,
    Host: row.node,
    PID: row.pid,
    ReturnCode: row.returnCode,
    Elapsed: row.elapsed,
    Start: row.start,
    End: row.finish,
    OutBytes: row.outBytes,
    OutData: textOfPythonRepr(row.outSnippet),
    ErrBytes: row.errBytes,
    ErrData: textOfPythonRepr(row.errSnippet),
    TaskCmd: utf8.decode(row.command),
  });
}
