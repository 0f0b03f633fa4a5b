import { type StatusRow, parseRow } from "../../../packages/driver/src/core/status-line/index.js";

/** Of a status file: its rows, its first line that is none, and how many bytes of a last line are there that was cut off. */
export function rowsIn(text: Buffer): {
  readonly rows: readonly StatusRow[];
  readonly bad: string | null;
  readonly torn: number;
} {
  const rows: StatusRow[] = [];
  let bad: string | null = null;
  let from = 0;
  for (let end = text.indexOf(10); end !== -1; end = text.indexOf(10, from)) {
    const line = text.subarray(from, end);
    const row = parseRow(line);
    if (row === null) bad ??= line.toString("latin1");
    else rows.push(row);
    from = end + 1;
  }
  return { rows, bad, torn: text.length - from };
}
