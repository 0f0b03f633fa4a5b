import type { RowKind } from "../status-line/index.js";

/** A row of a status file, as far as an audit looks at it. */
export interface AuditRow {
  readonly kind: RowKind;
  readonly id: number;
  /** In the list. */
  readonly line: number;
  /** -1: no shell was seen to run. */
  readonly pid: number;
  readonly returnCode: number;
  /** Seconds; the others: since 1970. */
  readonly elapsed: number;
  readonly start: number;
  readonly finish: number;
  /** The flags R, O and E say what the columns say. */
  readonly flagsAgree: boolean;
  /** Differs when line, repeat index or command differ. */
  readonly identity: number;
}

/** Why a line is no row. `column`: this one holds what it cannot hold. `columns`: there are `found` of them, and 15 in a row. */
export type RowFault =
  | { readonly what: "columns"; readonly found: number }
  | { readonly what: "column"; readonly name: string }
  /** Zero bytes, as a crash leaves them where a block was never written. */
  | { readonly what: "zeros" }
  /** Column names elsewhere than on the first line: several files were put together. */
  | { readonly what: "header" }
  | { readonly what: "tooLong" };

/** What cannot be true of a row. */
export type Contradiction =
  /** Flags R, O and E are not those of code and numbers of bytes. */
  | "flags"
  /** It took less than no time. */
  | "negative"
  /** It took longer than from start to finish. */
  | "times";

export const contradictions = ["flags", "negative", "times"] as const satisfies readonly Contradiction[];

/** Start and finish may be rounded, or read from a clock that was slightly adjusted meanwhile; elapsed is from one that never is. */
const slackSeconds = 1;
const slackOfElapsed = 0.001;

/** Null: nothing. From start to finish it may be longer than elapsed: a machine that slept. */
export function contradictionOf(row: AuditRow): Contradiction | null {
  if (!row.flagsAgree) return "flags";
  if (row.elapsed < 0) return "negative";
  const slack = slackSeconds + slackOfElapsed * row.elapsed;
  return row.elapsed > row.finish - row.start + slack ? "times" : null;
}
