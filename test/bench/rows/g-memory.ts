import { type Bench, type Measured, inTurn } from "../bench.js";
import { atMost, quantity } from "../figures/compare.js";
import { withSpread } from "../figures/format.js";
import type { Figure, Series } from "../figures/result.js";
import { differenceOf, spreadOf } from "../figures/spread.js";
import { runOurs } from "../peers/ours.js";
import { ProcessWatch, type Role } from "../processes/watch.js";

interface Peaks {
  readonly driver: number;
  readonly redis: number;
}

/** Does memory grow with the list? */
export async function measure(bench: Bench): Promise<Measured> {
  const lengths = [1_000, 10_000, 100_000, 1_000_000]
    .filter((length) => length < bench.tasks)
    .concat(bench.tasks);
  const peers = Object.fromEntries(lengths.map((tasks) => [tasks, () => peaksOf(bench, tasks)]));
  const rounds = Math.min(3, bench.runs);
  const peaks = await inTurn<string, Peaks>(rounds, peers);
  const few = peaks[1_000] ?? [];
  const many = peaks[bench.tasks] ?? [];
  const what = `${bench.tasks.toLocaleString("en")} tasks less 1,000`;
  const figures = [
    difference(`peak memory of the driver, ${what}`, few, many, "driver", 30),
    difference(`peak memory of Redis, ${what}`, few, many, "redis", 10),
  ];
  const series = (["driver", "redis"] as const).map((key): Series => ({
    plot: "memory",
    name: key === "driver" ? "driver" : "Redis",
    points: lengths.map((x) => ({ x, y: spreadOf((peaks[x] ?? []).map((each) => each[key])) })),
  }));
  return { figures, series, rounds };
}

async function peaksOf(bench: Bench, tasks: number): Promise<Peaks> {
  const watch = new ProcessWatch();
  const peak = (role: Role): number => watch.usage(role).peak;
  try {
    await runOurs(bench, {
      list: bench.list("true", tasks),
      tasks,
      slots: 80,
      options: ["--launcher", "noop"],
      watch,
    });
    return { driver: peak("driver"), redis: peak("Redis") };
  } finally {
    watch.stop();
  }
}

function difference(
  what: string,
  few: readonly Peaks[],
  many: readonly Peaks[],
  key: keyof Peaks,
  most: number,
): Figure {
  const [small, large] = [few, many].map((peaks) => spreadOf(peaks.map((each) => each[key])));
  if (small === undefined || large === undefined) throw new RangeError("nothing was measured");
  return quantity(
    what,
    "MB",
    differenceOf(large, small),
    atMost(most),
    withSpread(large, " MB"),
    withSpread(small, " MB"),
  );
}
