import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Bench, type Measured, inTurn } from "../bench.js";
import { atLeast, atMost, notMeasured, quantity, throughputOver } from "../figures/compare.js";
import { shortNumber } from "../figures/format.js";
import type { Figure } from "../figures/result.js";
import { scaled, spreadOf } from "../figures/spread.js";
import { logLine, runOurs } from "../peers/ours.js";
import { runXargs } from "../peers/shells.js";

const slots = 128;
/** Short, so that a run sees some renewals: one every two seconds. */
const leaseSeconds = 20;

/** One engine that starts more than a thousand shells a second: does it keep up, and does it keep its lease? */
export async function measure(bench: Bench): Promise<Measured> {
  const tasks = bench.size(10_000, 400);
  const list = bench.list("sleep 0.1", tasks);
  const late: (number | null)[] = [];
  const seconds = await inTurn(bench.runs, {
    ours: async () => {
      const options = ["--lease", String(leaseSeconds)];
      const run = await runOurs(bench, { list, tasks, slots, options });
      late.push(lateOf(run.directory));
      return run.seconds;
    },
    xargs: () => runXargs(bench, { list, slots }),
  });
  const what = `${tasks.toLocaleString("en")} tasks of 100 ms, ${slots} slots of one engine`;
  const figures: Figure[] = [
    throughputOver(`${what}: throughput over \`xargs -P\``, tasks, seconds.ours, seconds.xargs, atLeast(0.9)),
  ];
  const told = late.filter((ms) => ms !== null);
  const lateness = `${what}: the most that a renewal of the lease was late, of the lease`;
  if (told.length === 0) figures.push(notMeasured(lateness, "the engine's log does not tell"));
  else {
    const ours = `${shortNumber(Math.max(...told))} ms of ${leaseSeconds} s`;
    const value = scaled(spreadOf(told), 100 / (leaseSeconds * 1000));
    figures.push(quantity(lateness, "%", value, atMost(5), ours));
  }
  return { figures };
}

function lateOf(directory: string): number | null {
  const log = readdirSync(directory).find((name) => name.endsWith("_engine_0.log"));
  if (log === undefined) throw new Error(`${directory} has no log of an engine`);
  const left = logLine(join(directory, log), "left");
  if (left === null) throw new Error(`${log} does not say that the engine left`);
  const ms = left["heartbeatLateMs"];
  return typeof ms === "number" ? ms : null;
}
