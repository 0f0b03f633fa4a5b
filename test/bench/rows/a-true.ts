import { type Bench, type Measured, inTurn } from "../bench.js";
import { atLeast, better, notMeasured, throughputOver } from "../figures/compare.js";
import type { Figure, Series } from "../figures/result.js";
import { ratiosOf } from "../figures/spread.js";
import { runOurs } from "../peers/ours.js";
import { hasParallel, runDisBatch, runParallel, runXargs } from "../peers/shells.js";
import { withHyperQueue } from "../peers/with-hyperqueue.js";

const slotCounts = [2, 8] as const;

/** Throughput of the shortest task that there is, in a fresh bash each. */
export async function measure(bench: Bench): Promise<Measured> {
  const tasks = bench.size(5_000, 200);
  const list = bench.list("true", tasks);
  const figures: Figure[] = [];
  const series: Series[] = [];
  for (const slots of slotCounts) {
    const seconds = await withHyperQueue(bench, bench.options.hq, { count: 1, cores: slots }, async (queue) =>
      inTurn(
        bench.runs,
        {
          ours: async () => (await runOurs(bench, { list, tasks, slots })).seconds,
          xargs: () => runXargs(bench, { list, slots }),
          parallel: hasParallel ? () => runParallel(bench, { list, slots }) : null,
          hq: queue === null ? null : () => queue.array(tasks, ["/bin/bash", "-c", "true"]),
        },
        "warm",
      ),
    );
    const what = (peer: string): string =>
      `${tasks.toLocaleString("en")} × \`true\`, ${slots} slots: throughput over ${peer}`;
    const over = (
      peer: "xargs" | "parallel" | "hq",
      name: string,
      goal: Figure["goal"],
      missing: string,
    ): Figure =>
      seconds[peer].length === 0
        ? notMeasured(what(name), missing)
        : throughputOver(what(name), tasks, seconds.ours, seconds[peer], goal);
    figures.push(
      over("xargs", "`xargs -P`", atLeast(0.85), ""),
      over("parallel", "GNU parallel", atLeast(4), "it is not installed"),
      over("hq", "HyperQueue", better, "no HyperQueue was named (`--hq`)"),
    );
    for (const [name, values] of [
      ["Taskmuster", seconds.ours],
      ["xargs", seconds.xargs],
      ["HyperQueue", seconds.hq],
      ["GNU parallel", seconds.parallel],
    ] as const) {
      if (values.length === 0) continue;
      const y = ratiosOf(seconds.xargs, values);
      series.push({ plot: "true", name, points: [{ x: slots, y }] });
    }
  }
  figures.push(await overDisBatch(bench));
  return { figures, series };
}

async function overDisBatch(bench: Bench): Promise<Figure> {
  const { disbatch } = bench.options;
  const tasks = bench.size(100, 4);
  const list = bench.list("true", tasks);
  const what = `${tasks} × \`true\`, 2 slots: throughput over disBatch`;
  if (disbatch === null) return notMeasured(what, "no checkout of disBatch was named (`--disbatch`)");
  const job = { list, tasks, slots: 2 };
  const seconds = await inTurn(Math.min(3, bench.runs), {
    ours: async () => (await runOurs(bench, job)).seconds,
    disBatch: () => runDisBatch(bench, disbatch, job),
  });
  return throughputOver(what, tasks, seconds.ours, seconds.disBatch, better);
}
