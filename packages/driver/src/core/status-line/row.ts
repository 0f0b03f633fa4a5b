import type { TaskId } from "@taskmuster/kvs/protocol";

/** First line of a status file where one is asked for; without a line end. */
export const statusHeader = [
  "ROE[ PSZ]",
  "TaskID",
  "LineNum",
  "RepeatIndex",
  "Node",
  "PID",
  "ReturnCode",
  "Elapsed",
  "Start",
  "Finish",
  "BytesOfLeakedOutput",
  "OutputSnippet",
  "BytesOfLeakedError",
  "ErrorSnippet",
  "Command",
].join("\t");

/**
 * `timedOut`: a task too, which was stopped when it had run for as long as it may. `skipped`: done by an earlier run. `perEngine`: its id counts START and STOP commands each on their own. `zombie`: a late end of an
 * attempt that was given up before. `checkBarrier`: any BARRIER CHECK, passed or not.
 */
export type RowKind = "task" | "timedOut" | "skipped" | "perEngine" | "zombie" | "barrier" | "checkBarrier";

/** The row of an earlier run of a task that this one skips: the line as it stood there, which is copied but for its flag. */
export interface CopiedRow {
  readonly kind: "copied";
  readonly id: TaskId;
  readonly line: number;
  readonly returnCode: number;
  /** As it stood in the file, without its end. */
  readonly bytes: Uint8Array;
  /** What it says; kind `skipped`. */
  readonly parsed: () => StatusRow;
}

/** What a row says, copied or not. */
export function statusRow(row: StatusRow | CopiedRow): StatusRow {
  return row.kind === "copied" ? row.parsed() : row;
}

/** One line of a status file. The flags R, O and E follow from `returnCode`, `outBytes` and `errBytes`. */
export interface StatusRow {
  readonly kind: RowKind;
  readonly id: TaskId;
  readonly line: number;
  /** -1 outside REPEAT. */
  readonly repeatIndex: number;
  readonly node: string;
  readonly pid: number;
  /** See `returnCodeOf`. */
  readonly returnCode: number;
  /** Seconds. */
  readonly elapsed: number;
  /** Seconds since 1970. */
  readonly start: number;
  readonly finish: number;
  readonly outBytes: number;
  /** As the file shows it: Python's repr, see `snippetText`. */
  readonly outSnippet: string;
  readonly errBytes: number;
  readonly errSnippet: string;
  readonly command: Uint8Array;
}
