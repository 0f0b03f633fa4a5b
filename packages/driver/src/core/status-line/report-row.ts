import type { Outcome, Report } from "@taskmuster/kvs/protocol";
import type { RowKind, StatusRow } from "./row.js";
import { snippetText } from "./snippet.js";

/** disBatch's code for a task whose end nobody saw. */
const lostCode = -100;

/**
 * The ReturnCode column: the exit code; minus the signal, also of one that timed out; the error number of a task that could not be started (200 where there is
 * none); -100 for one that nobody saw end. That also for one that we stopped, which gets no row.
 */
export function returnCodeOf(outcome: Outcome): number {
  switch (outcome.kind) {
    case "exited":
      return outcome.code;
    case "signalled":
    case "timedOut":
      return -outcome.signal;
    case "failedToStart":
      return outcome.errno;
    case "lost":
    case "cancelled":
      return lostCode;
  }
}

function hadShell({ kind }: Outcome): boolean {
  return kind === "exited" || kind === "signalled" || kind === "timedOut";
}

/** What the driver knows of a task and its report does not say. */
interface ReportedTask {
  readonly line: number;
  readonly repeatIndex: number;
  readonly command: Uint8Array;
}

/** The row of one report. The error snippet of a task that could not be started is its whole error, however long. */
export function rowOfReport(report: Report, task: ReportedTask, kind: RowKind): StatusRow {
  const ran = hadShell(report.outcome);
  return {
    kind: kind === "task" && report.outcome.kind === "timedOut" ? "timedOut" : kind,
    id: report.id,
    line: task.line,
    repeatIndex: task.repeatIndex,
    node: report.host,
    pid: ran ? report.pid : -1,
    returnCode: returnCodeOf(report.outcome),
    elapsed: report.elapsed,
    start: report.start,
    finish: report.end,
    outBytes: ran ? report.out.bytes : 0,
    outSnippet: ran ? snippetText(report.out.snippet) : "''",
    errBytes: report.err.bytes,
    errSnippet: snippetText(report.err.snippet),
    command: task.command,
  };
}
