import { type Bench, type Measured, inTurn } from "../bench.js";
import { atMost, notMeasured, timeOver } from "../figures/compare.js";
import type { Figure, Series } from "../figures/result.js";
import { spreadOf } from "../figures/spread.js";
import { type OurRun, runOurs } from "../peers/ours.js";
import { runXargs } from "../peers/shells.js";
import { withHyperQueue } from "../peers/with-hyperqueue.js";

/** So many that xargs needs five to eight seconds on two cores. */
const cases = [
  { ms: 10, slots: 2, tasks: 1_000 },
  { ms: 100, slots: 2, tasks: 120 },
  { ms: 250, slots: 2, tasks: 48 },
  { ms: 10, slots: 64, tasks: 4_000 },
  { ms: 100, slots: 64, tasks: 3_840 },
  { ms: 250, slots: 64, tasks: 1_536 },
] as const;
type Case = Readonly<{ ms: number; slots: number; tasks: number }>;

/** Does a slot wait between its tasks? */
export async function measure(bench: Bench): Promise<Measured> {
  const figures: Figure[] = [];
  const series: Series[] = [];
  for (const each of cases) {
    const one = await measureCase(bench, {
      ...each,
      tasks: bench.size(each.tasks, Math.ceil(each.tasks / 16)),
    });
    figures.push(...one.figures);
    series.push(...one.series);
  }
  return { figures, series };
}

async function measureCase(
  bench: Bench,
  { ms, slots, tasks }: Case,
): Promise<{ readonly figures: readonly Figure[]; readonly series: readonly Series[] }> {
  const command = `sleep ${ms / 1000}`;
  const list = bench.list(command, tasks);
  const { hq } = bench.options;
  const runs = await withHyperQueue(bench, hq, { count: 1, cores: slots }, async (queue) =>
    inTurn<"ours" | "xargs" | "hq", Pick<OurRun, "seconds" | "taskSpan">>(bench.runs, {
      ours: () => runOurs(bench, { list, tasks, slots }),
      xargs: async () => alone(await runXargs(bench, { list, slots })),
      hq:
        queue === null
          ? null
          : async () => {
              const took = await queue.array(tasks, ["/bin/bash", "-c", command]);
              return { seconds: took, taskSpan: await queue.span() };
            },
    }),
  );
  const seconds = (name: keyof typeof runs): readonly number[] => runs[name].map((run) => run.seconds);
  const spans = (name: keyof typeof runs): readonly number[] => runs[name].map((run) => run.taskSpan);
  const what = `${tasks.toLocaleString("en")} tasks of ${ms} ms, ${slots} slots`;
  const figures = [
    timeOver(
      `${what}: from the first start to the last end, over \`xargs -P\``,
      spans("ours"),
      spans("xargs"),
      atMost(1.03),
    ),
    ...(hq === null
      ? [
          notMeasured(
            `${what}: from the first start to the last end, over HyperQueue`,
            "no HyperQueue was named (`--hq`)",
          ),
        ]
      : [
          timeOver(
            `${what}: from the first start to the last end, over HyperQueue's`,
            spans("ours"),
            spans("hq"),
            atMost(1),
          ),
          timeOver(`${what}: the whole command over HyperQueue`, seconds("ours"), seconds("hq"), null),
        ]),
    timeOver(`${what}: the whole command over \`xargs -P\``, seconds("ours"), seconds("xargs"), null),
  ];
  const series: Series[] = [];
  for (const [name, key] of [
    ["Taskmuster", "ours"],
    ["xargs", "xargs"],
    ["HyperQueue", "hq"],
  ] as const) {
    if (runs[key].length === 0) continue;
    const y = spreadOf(seconds(key).map((each) => tasks / each));
    series.push({ plot: `length-${slots}`, name, points: [{ x: ms, y }] });
  }
  return { figures, series };
}

function alone(seconds: number): Pick<OurRun, "seconds" | "taskSpan"> {
  return { seconds, taskSpan: seconds };
}
