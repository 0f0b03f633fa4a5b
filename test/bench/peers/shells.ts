import { join } from "node:path";
import type { Bench } from "../bench.js";
import { isInstalled, run } from "../processes/run.js";
import type { ProcessWatch } from "../processes/watch.js";
import { checkStatus } from "./ours.js";

/** `xargs -P`: each line in a fresh bash of its own; nothing is kept of what they did. Answers seconds. */
export async function runXargs(
  bench: Bench,
  job: { readonly list: string; readonly slots: number; readonly watch?: ProcessWatch },
): Promise<number> {
  const args = ["-a", job.list, `-P${job.slots}`, "-I{}", "/bin/bash", "-c", "{}"];
  const { seconds } = await run(["xargs", ...args], {
    cwd: bench.fresh(),
    onStart: ({ pid }) => job.watch?.add(pid ?? -1, "peer"),
  });
  return seconds;
}

export const hasParallel = isInstalled("parallel");

/** GNU parallel, with the same bash. Answers seconds. */
export async function runParallel(
  bench: Bench,
  job: { readonly list: string; readonly slots: number },
): Promise<number> {
  const env = { ...process.env, SHELL: "/bin/bash", PARALLEL_SHELL: "/bin/bash" };
  const args = ["--will-cite", `-j${job.slots}`, "-a", job.list];
  const { seconds } = await run(["parallel", ...args], { cwd: bench.fresh(), env });
  return seconds;
}

/** disBatch, from a checkout. Answers seconds. */
export async function runDisBatch(
  bench: Bench,
  checkout: string,
  job: { readonly list: string; readonly tasks: number; readonly slots: number },
): Promise<number> {
  const cwd = bench.fresh();
  const args = ["-m", "disbatch", "-s", `localhost:${job.slots}`, "-p", join(cwd, "x"), job.list];
  const { seconds } = await run(["python3", ...args], { cwd, env: { ...process.env, PYTHONPATH: checkout } });
  // Its columns are ours.
  checkStatus(join(cwd, "x_status.txt"), job.tasks);
  return seconds;
}
