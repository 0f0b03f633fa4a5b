export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export const least: Size = { columns: 64, rows: 16 };

/** How many lines each part of the screen gets. */
export interface Layout {
  /** An empty line above the first pane. */
  readonly air: boolean;
  /** Rows of the tree of contexts and engines. */
  readonly engines: number;
  /** Failures, two lines each. */
  readonly failures: number;
  readonly failureHeads: boolean;
}

/** Header (5), title and heads of the engines, title of the failures, detail, keys. */
const fixedLines = 10;

export interface Contents {
  /** Rows of the tree. */
  readonly rows: number;
  readonly failures: number;
  /** The one that has the keys. */
  readonly pane: "engines" | "failures";
}

/** Failures get their share, and what the engines leave free. */
export function layoutOf(size: Size, { rows, failures, pane }: Contents): Layout {
  const air = size.rows >= 30;
  const failureHeads = air && failures > 0;
  const free = size.rows - fixedLines - (air ? 1 : 0) - (failureHeads ? 1 : 0);
  const share = Math.floor((free * (pane === "failures" ? 0.6 : 0.3)) / 2);
  const spare = Math.floor((free - rows - 1) / 2);
  const shown = Math.min(failures, Math.max(1, share, spare));
  return { air, failureHeads, failures: shown, engines: Math.max(1, free - 2 * shown) };
}

/** Lines inside a dialog, and cells in them. */
export function dialogRoom({ columns, rows }: Size): { readonly cells: number; readonly lines: number } {
  return { cells: Math.min(columns - 8, 108), lines: rows - 8 };
}
