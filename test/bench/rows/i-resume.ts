import { join } from "node:path";
import { type Bench, type Measured, inTurn } from "../bench.js";
import { atMost, quantity, timeOver } from "../figures/compare.js";
import { withSpread } from "../figures/format.js";
import { spreadOf } from "../figures/spread.js";
import { firstStart, runOurs } from "../peers/ours.js";
import { run } from "../processes/run.js";
import { ProcessWatch } from "../processes/watch.js";

/** How soon does a run go on that had got far? */
export async function measure(bench: Bench): Promise<Measured> {
  const { tasks } = bench;
  const done = Math.floor(tasks * 0.9);
  const options = ["--launcher", "noop"];
  const before = await runOurs(bench, { list: bench.list("true", done), tasks: done, slots: 80, options });
  const status = join(before.directory, "x_status.txt");
  const list = bench.list("true", tasks);
  const peaks: number[] = [];
  const rounds = Math.min(3, bench.runs);
  const seconds = await inTurn(rounds, {
    ours: async () => {
      const watch = new ProcessWatch();
      try {
        const typedAt = Date.now() / 1000;
        const job = { list, tasks, slots: 80, options: [...options, "-r", status], watch };
        const { directory } = await runOurs(bench, job);
        peaks.push(watch.usage("driver").peak);
        return firstStart(join(directory, "x_status.txt")) - typedAt;
      } finally {
        watch.stop();
      }
    },
    reading: async () => {
      const script = 'wc -l "$0" "$1" && md5sum "$0" "$1"';
      return (await run(["/bin/sh", "-c", script, list, status], { cwd: bench.fresh() })).seconds;
    },
  });
  const what = `\`driver -r\` of ${tasks.toLocaleString("en")} tasks, ${done.toLocaleString("en")} done`;
  const first = `${what}: from typing to the first new task, over reading both files with \`wc -l\` and \`md5sum\``;
  const peak = spreadOf(peaks);
  return {
    figures: [
      timeOver(first, seconds.ours, seconds.reading, atMost(10)),
      quantity(`${what}: peak memory of the driver`, "MB", peak, atMost(200), withSpread(peak, " MB")),
    ],
    rounds,
  };
}
