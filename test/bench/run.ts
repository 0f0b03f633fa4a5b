import { writeFileSync } from "node:fs";
import { Bench } from "./bench.js";
import { goalText, valueText } from "./figures/format.js";
import { type Figure, type RowName, type RowResult, isMet } from "./figures/result.js";
import { machineText } from "./machine.js";
import { UsageError, parseOptions, usage } from "./options.js";
import { readResults, writePage } from "./page/write.js";
import { runAsChild } from "./programs/child.js";
import { rows } from "./rows/rows.js";

/* `npm run bench -- OPTIONS`; docs/benchmarks.md tells what is measured. Needs a built tree. */

async function main(args: readonly string[]): Promise<void> {
  if (await runAsChild(args)) return;
  const options = parseOptions(args);
  if (options.from.length > 0) return writePage(process.cwd(), readResults(options.from));
  const bench = new Bench(options);
  const results: RowResult[] = [];
  try {
    bench.say(machineText());
    for (const row of options.only) {
      results.push(await measure(bench, row));
      if (options.json !== null)
        writeFileSync(options.json, `${JSON.stringify({ rows: results }, null, 1)}\n`);
    }
    if (options.write) writePage(bench.root, results);
  } finally {
    bench.close();
  }
}

async function measure(bench: Bench, row: RowName): Promise<RowResult> {
  bench.say(`${row}:`);
  const measured = await rows[row].measure(bench);
  const { figures = [], tables = [], series = [], remarks = [], rounds = bench.runs } = measured;
  for (const figure of figures) bench.say(`   ${figureLine(figure)}`);
  for (const { title, columns, rows: lines } of tables)
    bench.say([title, columns.join(" | "), ...lines.map((line) => line.join(" | "))].join("\n   "));
  return {
    row,
    machine: machineText(),
    measuredAt: new Date().toISOString(),
    rounds,
    quick: bench.options.quick,
    figures,
    tables,
    series,
    remarks,
  };
}

function figureLine(figure: Figure): string {
  const { what, value, goal, ours, peer, note } = figure;
  const aim =
    goal === null || value === null
      ? ""
      : ` (goal ${goalText(goal)}: ${isMet(goal, value.median) ? "met" : "missed"})`;
  const details = [ours, peer].filter((text) => text !== "").join(" against ");
  const more = [details, note].filter((text) => text !== "").join("; ");
  return `${what}: ${valueText(figure)}${aim}; ${more}`;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n${usage}\n`);
  process.exitCode = 2;
}
