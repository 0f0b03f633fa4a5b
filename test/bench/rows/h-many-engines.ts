import { setTimeout as delay } from "node:timers/promises";
import { type Bench, type Measured } from "../bench.js";
import { atMost, quantity } from "../figures/compare.js";
import { withSpread } from "../figures/format.js";
import { type Spread, spreadOf } from "../figures/spread.js";
import { ServedRun } from "../peers/served-run.js";
import { startChild } from "../programs/child.js";
import { type Running, endOf, onCores } from "../processes/run.js";
import { until } from "../processes/until.js";
import { ProcessWatch } from "../processes/watch.js";

const slots = 40;

interface Look {
  readonly joinSeconds: number;
  /** Of a core, while nothing is to do. */
  readonly idleDriver: number;
  readonly idleRedis: number;
}

/** Many engines: how soon are they there, and what do they cost while there is nothing to do? */
export async function measure(bench: Bench): Promise<Measured> {
  const count = bench.size(1_000, 50);
  const looks: Look[] = [];
  for (let round = 0; round < Math.min(3, bench.runs); round++) looks.push(await look(bench, count));
  const what = `${count.toLocaleString("en")} engines × ${slots} slots, driver and Redis on one core`;
  const percent = (of: (each: Look) => number): Spread => spreadOf(looks.map((each) => 100 * of(each)));
  const join = spreadOf(looks.map(({ joinSeconds }) => joinSeconds));
  const idle = percent(({ idleDriver, idleRedis }) => idleDriver + idleRedis);
  const driver = percent(({ idleDriver }) => idleDriver);
  const redis = percent(({ idleRedis }) => idleRedis);
  const parts = `driver ${withSpread(driver, " %")}, Redis ${withSpread(redis, " %")}`;
  const cost = `${what}: CPU time of both while nothing is to do, of a core`;
  return {
    figures: [
      quantity(`${what}: until all have joined`, "s", join, atMost(10), withSpread(join, " s")),
      quantity(cost, "%", idle, atMost(5), parts),
    ],
    rounds: looks.length,
  };
}

async function look(bench: Bench, count: number): Promise<Look> {
  const watch = new ProcessWatch(100);
  const [here, there] = [onCores([0]), onCores([1])];
  const run = new ServedRun(bench, { list: null, prefix: here, watch });
  let engines: Running | null = null;
  try {
    // The first task opens the run; that there may be more keeps it open.
    run.feed("true\n");
    await run.opens();
    const configs = Array.from({ length: count }, (_, index) => run.engineConfig(index, slots));
    engines = startChild(
      "fleet",
      { engines: configs, connecting: 50 },
      { cwd: run.directory, prefix: there },
    );
    let told = "";
    engines.child.stdout?.on("data", (text: string) => {
      told += text;
    });
    await until("all engines have joined", () => told.includes("\n"), engines.finished, 120);
    const { joined } = JSON.parse(told) as { readonly joined: number };
    await delay(bench.size(10_000, 1_000));
    const idle = await idleCost(watch, bench.size(30_000, 5_000));
    run.feed(null);
    await run.driver.finished;
    await engines.finished;
    return { joinSeconds: joined, ...idle };
  } finally {
    watch.stop();
    await run.close();
    if (engines !== null) await endOf(engines);
  }
}

async function idleCost(watch: ProcessWatch, ms: number): Promise<Pick<Look, "idleDriver" | "idleRedis">> {
  const used = (): readonly [number, number] => [watch.usage("driver").own, watch.usage("Redis").own];
  watch.look();
  const [before, since] = [used(), performance.now()];
  await delay(ms);
  watch.look();
  const [after, seconds] = [used(), (performance.now() - since) / 1000];
  return { idleDriver: (after[0] - before[0]) / seconds, idleRedis: (after[1] - before[1]) / seconds };
}
