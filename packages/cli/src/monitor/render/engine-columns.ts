import type { Model } from "../model/model.js";
import type { ContextPicture, EnginePicture } from "../model/picture.js";
import { clean, column, textCells } from "./cells.js";
import { type Line, span } from "./line.js";
import { count } from "./words.js";

/** Widths in cells; 0: not shown. */
export interface Columns {
  readonly name: number;
  readonly host: number;
  readonly bar: number;
  readonly busy: number;
  readonly done: number;
  readonly failed: number;
  readonly limit: number;
  readonly ends: number;
  readonly last: number;
  readonly state: number;
}

/** As wide as what is shown needs it, and as the screen has room. */
export function columnsOf({ size, tree }: Model): Columns {
  const { columns: cells } = size;
  const isWide = cells >= 100;
  let mostSlots = 0;
  let mostDone = 0;
  let mostFailed = 0;
  let longestLabel = 7;
  let longestHost = 12;
  let hasLimit = false;
  let hasEnd = false;
  for (const row of tree.rows) {
    if (row.kind === "context") {
      longestLabel = Math.max(longestLabel, textCells(clean(row.label)) + 2);
      longestHost = Math.max(longestHost, contextPlace(row).length);
      hasLimit ||= row.limit !== null;
    } else longestHost = Math.max(longestHost, textCells(clean(row.host)));
    if (row.kind === "node") continue;
    hasEnd ||= row.endsInSeconds !== null;
    mostSlots = Math.max(mostSlots, row.slots);
    mostDone = Math.max(mostDone, row.done);
    mostFailed = Math.max(mostFailed, row.failed);
  }
  const busy = Math.max(6, 2 * count(mostSlots).length + 2);
  const done = Math.max(6, count(mostDone).length + 1);
  const failed = Math.max(7, count(mostFailed).length + 1);
  const name = Math.min(longestLabel, isWide ? 20 : 12);
  const bar = cells >= 150 ? 16 : isWide ? 8 : cells >= 76 ? 5 : 0;
  const limit = isWide && hasLimit ? 9 : 0;
  const ends = isWide && hasEnd ? 9 : 0;
  const last = 7;
  // Beside the columns: the cursor's mark, the scroll bar, a blank after name, host and bar, and three before the state.
  const fixed = name + bar + busy + done + failed + limit + ends + last + (bar === 0 ? 7 : 8);
  const room = Math.max(0, cells - fixed);
  const host = Math.max(8, Math.min(longestHost, Math.max(12, room - 18), 36));
  return { name, host, bar, busy, done, failed, limit, ends, last, state: Math.max(0, room - host) };
}

export function heads(columns: Columns): Line {
  const { name, host, done, failed, limit, ends, last, state } = columns;
  const texts = [
    column("CONTEXT", name),
    " ",
    column("HOST", host),
    " ",
    column("BUSY", busyCells(columns), "right"),
    column("DONE", done, "right"),
    column("FAILED", failed, "right"),
    column(limit === 0 ? "" : "LIMIT", limit, "right"),
    column(ends === 0 ? "" : "ENDS IN", ends, "right"),
    column("HEARD", last, "right"),
    "   ",
    column("STATE", state),
  ];
  return [span(` ${texts.join("")}`, "faint")];
}

export function contextPlace(row: ContextPicture): string {
  if (row.nodes <= 1) return row.method;
  return `${row.method} ${row.up === row.nodes ? row.nodes : `${row.up}/${row.nodes}`} nodes`;
}

export function busyText({ busy, slots }: ContextPicture | EnginePicture): string {
  return `${count(busy)}/${count(slots)}`;
}

export function busyCells({ bar, busy }: Columns): number {
  return bar === 0 ? busy : bar + 1 + busy;
}
