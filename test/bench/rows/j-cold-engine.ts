import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bench, type Measured, inTurn } from "../bench.js";
import { atMost, notMeasured, quantity, timeOver } from "../figures/compare.js";
import { withSpread } from "../figures/format.js";
import type { Figure } from "../figures/result.js";
import { spreadOf } from "../figures/spread.js";
import { ServedRun } from "../peers/served-run.js";
import { endOf, isInstalled, run, start } from "../processes/run.js";
import { memoryOf } from "../processes/stat.js";
import { until } from "../processes/until.js";

const dropFile = "/proc/sys/vm/drop_caches";

interface Start {
  readonly seconds: number;
  /** MB, when it was ready. */
  readonly memory: number;
}

/** An engine on a node that has never seen it: what is read, how long it takes, how much it holds. */
export async function measure(bench: Bench): Promise<Measured> {
  // Nobody else runs this copy, so that its pages can be dropped.
  const node = join(bench.fresh(), "node");
  copyFileSync(process.execPath, node);
  const run0 = new ServedRun(bench, { list: null });
  try {
    run0.feed("true\n");
    await run0.opens();
    const isCold = dropCaches();
    const rounds = Math.max(3, bench.runs);
    const starts = await inTurn<"engine" | "node", Start>(rounds, {
      engine: () => startEngine(bench, run0, [node]),
      node: async () => {
        dropCaches();
        return { seconds: (await run([node, "-e", "0"], { cwd: bench.fresh() })).seconds, memory: 0 };
      },
    });
    const memory = spreadOf(starts.engine.map((each) => each.memory));
    const seconds = (name: "engine" | "node"): readonly number[] => starts[name].map((each) => each.seconds);
    const how = isCold ? "from a cold file cache" : "from a warm file cache";
    const figures: Figure[] = [
      await filesOpened(bench, run0, node),
      timeOver(
        `an engine's start ${how} until it is ready: time over \`node -e 0\``,
        seconds("engine"),
        seconds("node"),
        atMost(3),
      ),
      quantity(
        "resident memory of an engine that is ready",
        "MB",
        memory,
        atMost(80),
        withSpread(memory, " MB"),
      ),
    ];
    const remarks = isCold ? [] : ["The file cache was warm: only root can drop it."];
    return { figures, remarks, rounds };
  } finally {
    await run0.close();
  }
}

let engines = 0;

/** Starts an engine and has it leave when it is ready, which is when it opens its log: it has joined, and its launcher is up. */
async function startEngine(bench: Bench, served: ServedRun, command: readonly string[]): Promise<Start> {
  const index = engines++;
  const line = JSON.stringify(served.engineConfig(index, 8, { launcher: "auto" }));
  const log = served.engineLog(index);
  dropCaches();
  const startedAt = performance.now();
  const engine = start([...command, bench.program("dist/engine.js")], { cwd: served.directory });
  engine.child.stdin?.write(`${line}\n`);
  try {
    await until("the engine is ready", () => existsSync(log), engine.finished);
    const seconds = (performance.now() - startedAt) / 1000;
    const memory = memoryOf(engine.pid)?.now ?? Number.NaN;
    engine.child.stdin?.write("stop\n");
    await engine.finished;
    return { seconds, memory };
  } finally {
    await endOf(engine);
  }
}

async function filesOpened(bench: Bench, served: ServedRun, node: string): Promise<Figure> {
  const what =
    "files that an engine opens from its start to its end, its launcher's among them, beyond those of `node -e 0`";
  if (!isInstalled("strace")) return notMeasured(what, "strace is not installed");
  const trace = join(bench.fresh(), "trace");
  const strace = ["strace", "-f", "-e", "trace=open,openat", "-o", trace];
  const opened = (): number =>
    readFileSync(trace, "latin1")
      .split("\n")
      .filter((line) => / = \d+$/.test(line)).length;
  await startEngine(bench, served, [...strace, node]);
  const engine = opened();
  await run([...strace, node, "-e", "0"], { cwd: bench.fresh() });
  const bare = opened();
  const value = spreadOf([engine - bare]);
  return quantity(what, "files", value, null, `${engine}`, `${bare}`);
}

/** False: we may not. */
function dropCaches(): boolean {
  try {
    execFileSync("sync");
    writeFileSync(dropFile, "3\n");
    return true;
  } catch {
    return false;
  }
}
