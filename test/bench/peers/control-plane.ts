import type { Bench } from "../bench.js";
import { type FleetResult, resultOf, startChild } from "../programs/child.js";
import { type Running, endOf, onCores } from "../processes/run.js";
import { ProcessWatch } from "../processes/watch.js";
import { withEngines } from "./built-engines.js";
import { checkStatus } from "./ours.js";
import { ServedRun } from "./served-run.js";

export interface Shape {
  readonly engines: number;
  readonly slots: number;
  /** Claims at most so many beyond the free slots; absent: as many as it thinks fit. */
  readonly mostAhead?: number;
}

/** Driver, Redis and engines share them. */
export const twoCores = onCores([0, 1]);

export interface ControlPlaneRun {
  /** From typing the driver's command to the prompt. */
  readonly seconds: number;
  /** From the start of the first task to the end of the last. */
  readonly taskSpan: number;
  /** Seconds of CPU time of driver, Redis and engines, since each began. */
  readonly cpu: number;
}

/**
 * A whole run of tasks that do nothing: the built driver, its Redis, and built engines, whose processes are up but know of no run. Throws
 * unless the status file is complete.
 */
export async function runControlPlane(
  bench: Bench,
  job: {
    readonly list: string;
    readonly tasks: number;
    readonly shape: Shape;
    /** To be stopped by whoever gives it. */
    readonly watch?: ProcessWatch;
  },
): Promise<ControlPlaneRun> {
  const { list, tasks, shape } = job;
  const watch = job.watch ?? new ProcessWatch();
  const use = async (engines: readonly Running[]): Promise<ControlPlaneRun> => {
    const run = new ServedRun(bench, { list, prefix: twoCores, watch });
    try {
      const { slots, mostAhead } = shape;
      await run.take(engines, { slots, change: mostAhead === undefined ? {} : { mostAhead } });
      const { seconds } = await run.driver.finished;
      const cpu = watch.usage("driver", "Redis", "engine").own;
      return { seconds, taskSpan: checkStatus(run.statusFile, tasks), cpu };
    } finally {
      if (job.watch === undefined) watch.stop();
      await run.close();
    }
  };
  return withEngines(bench, shape.engines, use, twoCores);
}

/** Tasks per exchange that brought any, in a run of the same shape whose engines count. */
export async function claimSizeOf(
  bench: Bench,
  job: { readonly list: string; readonly tasks: number; readonly shape: Shape },
): Promise<number> {
  const { engines, slots } = job.shape;
  const run = new ServedRun(bench, { list: job.list, prefix: twoCores });
  const children: Running[] = [];
  try {
    await run.opens();
    for (let index = 0; index < engines; index++) {
      const config = run.engineConfig(index, slots);
      const where = { cwd: run.directory, prefix: twoCores };
      children.push(startChild("fleet", { engines: [config], connecting: 1 }, where));
    }
    await run.driver.finished;
    checkStatus(run.statusFile, job.tasks);
    const results = await Promise.all(children.map((child) => resultOf<FleetResult>(child)));
    const sum = (key: "claims" | "claimed"): number => results.reduce((all, each) => all + each[key], 0);
    return sum("claimed") / sum("claims");
  } finally {
    await run.close();
    for (const child of children) await endOf(child);
  }
}
