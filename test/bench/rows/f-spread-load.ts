import { setTimeout as delay } from "node:timers/promises";
import { type Bench, type Measured, inTurn } from "../bench.js";
import { atMost, notMeasured, quantity } from "../figures/compare.js";
import { shortNumber, withSpread } from "../figures/format.js";
import type { Figure } from "../figures/result.js";
import { ratiosOf, spreadOf } from "../figures/spread.js";
import { withEngines } from "../peers/built-engines.js";
import { checkStatus } from "../peers/ours.js";
import { HyperQueue } from "../peers/hyperqueue.js";
import { ServedRun } from "../peers/served-run.js";
import { memoryOf, processStat } from "../processes/stat.js";
import { ProcessWatch } from "../processes/watch.js";

const shape = { engines: 8, slots: 40 };

interface Cost {
  /** Seconds of CPU time. */
  readonly cpu: number;
  /** MB. */
  readonly peak: number;
  /** From typing to the prompt. */
  readonly seconds: number;
}

/** Tasks enough for all slots for a minute: what does it cost the node that the driver runs on? */
export async function measure(bench: Bench): Promise<Measured> {
  const { hqZero } = bench.options;
  const job: Job = { tasks: bench.size(200_000, 4_000), seconds: bench.size(60, 4) };
  // Without that patch its zero workers end each task at once: then the list comes in batches, to both.
  const batches = hqZero !== null && !(await sleeps(bench, hqZero));
  const rounds = Math.min(3, bench.runs);
  const costs = await inTurn<"ours" | "hq", Cost>(rounds, {
    ours: () => (batches ? inBatches(bench, job) : evenly(bench, job)),
    hq:
      hqZero === null
        ? null
        : () => (batches ? hyperQueueInBatches(bench, hqZero, job) : hyperQueueEvenly(bench, hqZero, job)),
  });
  const how = batches ? "each second's at once" : `each of ${taskMs(job)} ms`;
  const what = `${job.tasks.toLocaleString("en")} tasks over ${job.seconds} s, ${how}, ${shape.engines} engines × ${shape.slots} slots`;
  const figures: Figure[] = [
    over(`${what}: CPU time of driver and Redis over that of HyperQueue's server`, costs.ours, costs.hq),
    peak(`${what}: peak memory of driver and Redis`, costs.ours, costs.hq),
  ];
  return { figures, rounds };
}

interface Job {
  readonly tasks: number;
  readonly seconds: number;
}

/** As long as fills all slots all the time. */
function taskMs({ tasks, seconds }: Job): number {
  return (1000 * seconds * shape.engines * shape.slots) / tasks;
}

async function evenly(bench: Bench, job: Job): Promise<Cost> {
  const list = bench.list(`sleep ${taskMs(job) / 1000}`, job.tasks);
  return costOf(bench, list, job.tasks, async () => undefined);
}

/** Tasks that end at once, each second's share at the second. */
async function inBatches(bench: Bench, job: Job): Promise<Cost> {
  return costOf(bench, null, job.tasks, async (run) => {
    await eachSecond(job, async (count) => run.feed("true\n".repeat(count)));
    run.feed(null);
  });
}

async function costOf(
  bench: Bench,
  list: string | null,
  tasks: number,
  feed: (run: ServedRun) => Promise<void>,
): Promise<Cost> {
  return withEngines(bench, shape.engines, async (engines) => {
    const watch = new ProcessWatch();
    const run = new ServedRun(bench, { list, watch });
    try {
      const feeding = feed(run);
      await run.take(engines, { slots: shape.slots });
      await feeding;
      const { seconds } = await run.driver.finished;
      checkStatus(run.statusFile, tasks);
      const { own: cpu, peak: most } = watch.usage("driver", "Redis");
      return { cpu, peak: most, seconds };
    } finally {
      watch.stop();
      await run.close();
    }
  });
}

/** Whether a task `sleep S` keeps a place of a zero worker for so long: see hyperqueue-zero-sleep.patch. */
async function sleeps(bench: Bench, binary: string): Promise<boolean> {
  return withQueue(bench, binary, async (queue) => (await queue.array(1, ["sleep", "0.5"])) > 0.4);
}

async function hyperQueueEvenly(bench: Bench, binary: string, job: Job): Promise<Cost> {
  return withQueue(bench, binary, async (queue) => {
    return costOfServer(queue, await queue.array(job.tasks, ["sleep", String(taskMs(job) / 1000)]));
  });
}

async function hyperQueueInBatches(bench: Bench, binary: string, job: Job): Promise<Cost> {
  return withQueue(bench, binary, async (queue) => {
    const startedAt = performance.now();
    const { stdout } = await queue.call(["--output-mode", "quiet", "job", "open"]);
    const id = stdout.trim();
    let next = 1;
    await eachSecond(job, async (count) => {
      const ids = `${next}-${next + count - 1}`;
      next += count;
      const off = ["--stdout", "none", "--stderr", "none"];
      await queue.call(["submit", "--job", id, "--array", ids, ...off, "--", "true"]);
    });
    await queue.call(["job", "close", id]);
    await queue.call(["job", "wait", id]);
    const seconds = (performance.now() - startedAt) / 1000;
    await queue.check(job.tasks);
    return costOfServer(queue, seconds);
  });
}

async function withQueue<Result>(
  bench: Bench,
  binary: string,
  use: (queue: HyperQueue) => Promise<Result>,
): Promise<Result> {
  const queue = await HyperQueue.start(bench, binary, { count: shape.engines, cores: shape.slots });
  try {
    return await use(queue);
  } finally {
    await queue.stop();
  }
}

function costOfServer({ serverPid }: HyperQueue, seconds: number): Cost {
  const [stat, memory] = [processStat(serverPid), memoryOf(serverPid)];
  if (stat === null || memory === null) throw new Error("the server of HyperQueue is gone");
  return { cpu: stat.own, peak: memory.peak, seconds };
}

async function eachSecond(
  { tasks, seconds }: Job,
  submit: (count: number) => Promise<unknown>,
): Promise<void> {
  const startedAt = performance.now();
  for (let second = 0; second < seconds; second++) {
    const upTo = (part: number): number => Math.round((tasks * part) / seconds);
    await submit(upTo(second + 1) - upTo(second));
    await delay(startedAt + 1000 * (second + 1) - performance.now());
  }
}

function over(what: string, ours: readonly Cost[], hq: readonly Cost[]): Figure {
  const [a, b] = [ours.map(({ cpu }) => cpu), hq.map(({ cpu }) => cpu)];
  const cost = costText(ours);
  if (b.length === 0)
    return { ...notMeasured(what, "no such HyperQueue was named (`--hq-zero`)"), ours: cost };
  const peer = costText(hq);
  return { what, value: ratiosOf(a, b), unit: "", goal: atMost(1), ours: cost, peer, note: "" };
}

function costText(costs: readonly Cost[]): string {
  const wall = spreadOf(costs.map(({ seconds }) => seconds)).median;
  return `${withSpread(spreadOf(costs.map(({ cpu }) => cpu)), " s")} in ${shortNumber(wall)} s`;
}

function peak(what: string, ours: readonly Cost[], hq: readonly Cost[]): Figure {
  const value = spreadOf(ours.map((cost) => cost.peak));
  const peer = hq.length === 0 ? "" : withSpread(spreadOf(hq.map((cost) => cost.peak)), " MB");
  return quantity(what, "MB", value, atMost(150), withSpread(value, " MB"), peer);
}
