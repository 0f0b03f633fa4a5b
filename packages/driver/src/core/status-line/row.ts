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

/** Rows of an earlier run of tasks that this one skips: the lines as they stood there, which are copied but for their flags. */
export interface CopiedRows {
  readonly kind: "copied";
  /** As this run's file shows them, with their ends. */
  readonly lines: Uint8Array;
  /** To be called by who wants them no more: the memory is used anew. */
  readonly release: () => void;
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
