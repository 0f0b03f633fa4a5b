import { between, goalText, valueText } from "../figures/format.js";
import { type Figure, type RowName, type RowResult, type Table, isMet } from "../figures/result.js";
import type { Plot } from "./plots.js";

/* The part of docs/benchmarks.md that is made of measurements. */

const [begin, end] = ["<!-- results -->", "<!-- end of results -->"];

const titles: Readonly<Record<RowName, string>> = {
  a: "the shortest tasks",
  b: "one task",
  c: "the control plane",
  d: "short tasks",
  e: "a wide engine",
  f: "the cost of a steady load",
  g: "memory over list length",
  h: "a thousand engines",
  i: "resuming",
  j: "an engine's cold start",
  k: "where a task's time goes",
};

/** The page with these results in the place of those before. Throws when it has no place for them. */
export function withResults(page: string, results: readonly RowResult[], plots: readonly Plot[]): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the page has no lines ${begin} and ${end}`);
  const machines = [...new Set(results.map(({ machine }) => machine))];
  const [machine] = machines;
  const one = machines.length === 1;
  const head = one ? [`Measured on ${machine}.`, ""] : [];
  const quick = results.filter((result) => result.quick).map(({ row }) => row);
  if (quick.length > 0)
    head.push(`**Rows ${quick.join(", ")} were measured with \`--quick\`: their figures mean nothing.**`, "");
  const rows = results.flatMap((result) => [
    `### ${result.row}: ${titles[result.row]}`,
    "",
    `${result.measuredAt.slice(0, 10)}, ${result.rounds} rounds${one ? "" : `, on ${result.machine}`}.`,
    "",
    ...(result.figures.length > 0 ? figureTable(result.figures) : []),
    ...result.tables.flatMap(table),
    ...result.remarks.flatMap((remark) => [remark, ""]),
    ...plots
      .filter(({ row }) => row === result.row)
      .flatMap(({ alt, file }) => [`![${alt}](benchmarks/${file})`, ""]),
  ]);
  return `${page.slice(0, from)}${[begin, "", ...head, ...rows, ""].join("\n")}${page.slice(to)}`;
}

function figureTable(figures: readonly Figure[]): readonly string[] {
  const lines = figures.map((figure) => {
    const { what, value, goal, ours, peer, note } = figure;
    const met = goal === null || value === null ? "" : isMet(goal, value.median) ? "met" : "**missed**";
    const range = value === null ? "" : between(value);
    const aim = goal === null ? "" : goalText(goal);
    const own = [ours, note].filter((text) => text !== "").join("; ");
    return `| ${[`**${valueText(figure)}**`, range, aim, met, what, own, peer].join(" | ")} |`;
  });
  return [
    "| median | range | goal | | what | ours | peer |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...lines,
    "",
  ];
}

function table({ title, columns, rows }: Table): readonly string[] {
  return [
    `**${title}**`,
    "",
    `| ${columns.join(" | ")} |`,
    `| ${columns.map((_, index) => (index === 0 ? "---" : "---:")).join(" | ")} |`,
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
    "",
  ];
}
