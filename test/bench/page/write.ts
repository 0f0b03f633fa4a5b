import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RowResult, rowNames } from "../figures/result.js";
import { plotsOf } from "./plots.js";
import { withResults } from "./results.js";

/** Writes the page and its plots, below this tree's docs/. */
export function writePage(root: string, results: readonly RowResult[]): void {
  const page = join(root, "docs/benchmarks.md");
  const folder = join(root, "docs/benchmarks");
  const plots = plotsOf(results);
  mkdirSync(folder, { recursive: true });
  for (const { file, svg } of plots) writeFileSync(join(folder, file), svg);
  writeFileSync(page, withResults(readFileSync(page, "utf8"), results, plots));
}

/** Rows of later files win. In the order of their names. */
export function readResults(files: readonly string[]): readonly RowResult[] {
  const found = new Map<string, RowResult>();
  for (const file of files) {
    const { rows } = JSON.parse(readFileSync(file, "utf8")) as { readonly rows?: readonly RowResult[] };
    if (rows === undefined) throw new Error(`${file} is not what --json writes`);
    for (const row of rows) found.set(row.row, row);
  }
  return rowNames.flatMap((name) => found.get(name) ?? []);
}
