import type { Bench } from "../bench.js";
import { type Running, endOf, start } from "../processes/run.js";
import { processStat } from "../processes/stat.js";
import { until } from "../processes/until.js";

/** So many processes of the built engine are up while `use` runs, and wait to be told what for; they are gone when it is done. */
export async function withEngines<Result>(
  bench: Bench,
  count: number,
  use: (engines: readonly Running[]) => Promise<Result>,
  prefix: readonly string[] = [],
): Promise<Result> {
  const cwd = bench.fresh();
  const words = [...prefix, process.execPath, bench.program("dist/engine.js")];
  const engines = Array.from({ length: count }, () => start(words, { cwd }));
  try {
    await areQuiet(engines.map(({ pid }) => pid));
    return await use(engines);
  } finally {
    for (const engine of engines) await endOf(engine);
  }
}

/** Nothing else tells that they have read their program: they use no more CPU time. */
async function areQuiet(pids: readonly number[]): Promise<void> {
  let [used, since] = [-1, performance.now()];
  await until("the engines are up", () => {
    const now = pids.reduce((sum, pid) => sum + (processStat(pid)?.own ?? 0), 0);
    if (now !== used) [used, since] = [now, performance.now()];
    return performance.now() - since > quietMs;
  });
}

const quietMs = 300;
