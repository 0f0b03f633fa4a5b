import { RowScanner } from "./row-scanner.js";

/** Ids of the tasks of whose own ends there are rows among `lines`: not those that an earlier run had done, nor late ones. */
export function* idsOfRows(lines: Uint8Array): Generator<number> {
  const row = new RowScanner();
  const end = lines.lastIndexOf(newline) + 1;
  for (let from = 0; from < end; from = row.end + 1)
    if (row.scan(lines, from) === "row" && lines[from + flagAt] === blank) yield row.id;
}

/** Numbers as ranges, first and last included. */
export function rangesOf(ids: Iterable<number>): readonly (readonly [first: number, last: number])[] {
  const ranges: [number, number][] = [];
  for (const id of Uint32Array.from(ids).toSorted()) {
    const last = ranges.at(-1);
    if (last !== undefined && id <= last[1] + 1) last[1] = id;
    else ranges.push([id, id]);
  }
  return ranges;
}

const newline = 10;
const blank = 0x20;
/** Of the letters before a row the one that tells whose it is. */
const flagAt = 3;
