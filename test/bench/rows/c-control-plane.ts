import { type Bench, type Measured, inTurn } from "../bench.js";
import { atLeast, better, notMeasured, throughputOver } from "../figures/compare.js";
import { shortNumber, withSpread } from "../figures/format.js";
import type { Figure } from "../figures/result.js";
import { median, ratiosOf, spreadOf } from "../figures/spread.js";
import { runBareLoop } from "../peers/bare-loop.js";
import { type Shape, claimSizeOf, runControlPlane, twoCores } from "../peers/control-plane.js";
import { HyperQueue } from "../peers/hyperqueue.js";
import { processStat } from "../processes/stat.js";

const shapes: readonly Shape[] = [
  { engines: 2, slots: 40 },
  { engines: 16, slots: 128 },
  // Every claim is for one task.
  { engines: 2, slots: 1, mostAhead: 0 },
];

/** Everything but the tasks: list in, status file out, over the bare scripts and over HyperQueue. */
export async function measure(bench: Bench): Promise<Measured> {
  const figures: Figure[] = [];
  for (const shape of shapes) figures.push(...(await measureShape(bench, shape)));
  return { figures, rounds: roundsOf(bench) };
}

function roundsOf(bench: Bench): number {
  return Math.min(3, bench.runs);
}

async function measureShape(bench: Bench, shape: Shape): Promise<readonly Figure[]> {
  const one = shape.mostAhead === 0;
  const tasks = one ? Math.ceil(bench.tasks / 5) : bench.tasks;
  const list = bench.list("true", tasks);
  const claim = one ? 1 : Math.round(await claimSizeOf(bench, { list, tasks, shape }));
  const { hqZero } = bench.options;
  const runs = await inTurn<"ours" | "bare" | "hq", Costs>(roundsOf(bench), {
    ours: () => runControlPlane(bench, { list, tasks, shape }),
    bare: () => runBareLoop(bench, { tasks, engines: shape.engines, claim }),
    hq: hqZero === null || one ? null : () => runHyperQueue(bench, hqZero, shape, tasks),
  });
  const seconds = (name: "ours" | "bare" | "hq"): readonly number[] => runs[name].map((each) => each.seconds);
  const what = `${tasks.toLocaleString("en")} tasks that do nothing, ${shapeText(shape)}`;
  const claims = one ? "claims of one" : `claims of ${claim} on average`;
  const bare = `${what}, ${claims}: throughput over the bare loop`;
  const hq = `${what}: throughput over HyperQueue's zero workers`;
  const figures = [
    {
      ...throughputOver(bare, tasks, seconds("ours"), seconds("bare"), atLeast(0.7)),
      note: `${startText(runs.ours, seconds("bare"), tasks)}; ${cpuText(runs.ours, runs.bare, tasks)}`,
    },
  ];
  if (one) return figures;
  if (runs.hq.length > 0)
    figures.push({
      ...throughputOver(hq, tasks, seconds("ours"), seconds("hq"), better),
      note: cpuText(runs.ours, runs.hq, tasks),
    });
  else figures.push(notMeasured(hq, "no such HyperQueue was named (`--hq-zero`)"));
  return figures;
}

interface Costs {
  readonly seconds: number;
  /** Seconds of CPU time. */
  readonly cpu: number;
  /** From the start of the first task to the end of the last, where that is not the same. */
  readonly taskSpan?: number;
}

/** A new server each time: what it knows of jobs that are over must not count. */
async function runHyperQueue(bench: Bench, binary: string, shape: Shape, tasks: number): Promise<Costs> {
  // Its rate does not depend on the length of the list, and with few slots it takes minutes for all of it.
  const part = Math.ceil(tasks / 5);
  const workers = { count: shape.engines, cores: shape.slots };
  const queue = await HyperQueue.start(bench, binary, workers, twoCores);
  try {
    const seconds = (await queue.array(part, ["true"])) * (tasks / part);
    const used = [queue.serverPid, ...queue.workerPids].map((pid) => processStat(pid)?.own ?? Number.NaN);
    return { seconds, cpu: used.reduce((sum, each) => sum + each, 0) * (tasks / part) };
  } finally {
    await queue.stop();
  }
}

/** Less in doubt than throughput where others use the machine, too. */
function cpuText(ours: readonly Costs[], peers: readonly Costs[], tasks: number): string {
  const [a, b] = [ours, peers].map((costs) =>
    shortNumber(median(costs.map(({ cpu }) => (1e6 * cpu) / tasks))),
  );
  return `CPU time per task ${a} µs against ${b} µs`;
}

/** Ours without its start and its end. */
function startText(ours: readonly Costs[], bare: readonly number[], tasks: number): string {
  const spans = ours.map(({ seconds, taskSpan = seconds }) => taskSpan);
  const rate = withSpread(spreadOf(spans.map((span) => tasks / span)), "/s");
  return `from the first task to the last ${rate}, a ratio of ${ratiosOf(bare, spans).median.toFixed(2)}`;
}

function shapeText({ engines, slots }: Shape): string {
  return `${engines} engines × ${slots === 1 ? "1 slot" : `${slots} slots`}`;
}
