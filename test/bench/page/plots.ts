import type { RowResult, Series } from "../figures/result.js";
import { barPlot } from "./bars.js";
import { idealName, linePlot } from "./lines.js";

export interface Plot {
  /** In docs/benchmarks/. */
  readonly file: string;
  /** Stands below this row. */
  readonly row: RowResult["row"];
  readonly alt: string;
  readonly svg: string;
}

/** Those for which there are measurements. */
export function plotsOf(results: readonly RowResult[]): readonly Plot[] {
  const all = results.flatMap((result) => result.series);
  const of = (plot: string): readonly Series[] => joined(all.filter((each) => each.plot === plot));
  const plots: Plot[] = [];
  const add = (
    row: Plot["row"],
    file: string,
    alt: string,
    series: readonly Series[],
    draw: () => string,
  ): void => {
    if (series.length > 0) plots.push({ row, file, alt, svg: draw() });
  };
  const shortest = of("true");
  add("a", "true.svg", "Throughput of the shortest tasks, as a part of that of xargs", shortest, () =>
    barPlot(
      {
        title: "The shortest tasks: throughput, where that of xargs is 1",
        subtitle: "true, in a fresh bash each. Bars: medians; whiskers: least and most. More is better.",
        y: "over xargs",
        group: (slots) => `${slots} slots`,
      },
      shortest,
    ),
  );
  const slots = 64;
  const lengths = of(`length-${slots}`);
  add("d", "length.svg", "Throughput over the length of tasks", lengths, () => {
    const xs = [...new Set(lengths.flatMap(({ points }) => points.map(({ x }) => x)))];
    const ideal = xs.map((x) => ({ x, y: flat((1000 * slots) / x) }));
    return linePlot(
      {
        title: `Tasks that sleep: throughput on ${slots} slots`,
        subtitle: "Each in a fresh bash, start and end of the whole command included. More is better.",
        x: "length of a task, ms",
        y: "tasks per second",
      },
      [...lengths, { plot: "", name: idealName, points: ideal }],
      "logarithmic",
    );
  });
  const memory = of("memory");
  add("g", "memory.svg", "Peak memory over the length of the list", memory, () =>
    linePlot(
      {
        title: "Peak memory over the length of the list",
        subtitle: "Resident memory of driver and Redis at its most; tasks that do nothing.",
        x: "tasks in the list",
        y: "MB",
      },
      memory,
      "linear",
    ),
  );
  return plots;
}

function flat(value: number): { readonly median: number; readonly least: number; readonly most: number } {
  return { median: value, least: value, most: value };
}

/** Points of one name in one series. */
function joined(series: readonly Series[]): readonly Series[] {
  const names = [...new Set(series.map(({ name }) => name))];
  return names.map((name) => {
    const own = series.filter((each) => each.name === name);
    return { plot: own[0]?.plot ?? "", name, points: own.flatMap(({ points }) => points) };
  });
}
