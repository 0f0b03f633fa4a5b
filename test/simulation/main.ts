// npm run simulate [-- OPTIONS]: the whole system in virtual time, and in each run something else goes wrong.
import { availableParallelism } from "node:os";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { endWith } from "../end-with.js";
import { bugNamed, bugs } from "./bugs/planted.js";
import { type Options, optionsOf, usage } from "./options.js";
import { seedsOf } from "./faults/families.js";
import { type Simulated, simulate } from "./simulate.js";

interface Share {
  readonly seeds: readonly number[];
  readonly bug: string | null;
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    process.stdout.write(usage);
    return 0;
  }
  const options = optionsOf(args, availableParallelism());
  if (options.bug === "list") {
    for (const { name, what } of bugs) console.log(`${name.padEnd(28)} ${what}`);
    return 0;
  }
  if (options.bug !== null) bugNamed(options.bug);
  return options.seed === null ? many(options) : one(options.seed, options);
}

/** The same run again, with all that happens. */
async function one(seed: number, { trace, bug }: Pick<Options, "trace" | "bug">): Promise<number> {
  const last: string[] = [];
  const onSay = (line: string): void => {
    if (trace) console.log(line);
    else if (last.push(line) > lastLines) last.shift();
  };
  const ended = await simulate(seed, { onSay, ...(bug === null ? {} : { bug: bugNamed(bug).make() }) });
  if (ended.failure !== null) for (const line of last) console.log(line);
  tell(ended, bug);
  return ended.failure === null ? 0 : 1;
}

async function many({ from, seeds, jobs, bug, family }: Options): Promise<number> {
  const began = performance.now();
  const all = seedsOf(from, seeds, family);
  const failed: Simulated[] = [];
  let [done, steps, seconds] = [0, 0, 0];
  let toldAt = began;
  const line = (): string => {
    const took = (performance.now() - began) / 1000;
    return (
      `${done} of ${seeds} runs, ${failed.length} failed; ${(steps / 1e6).toFixed(1)} million steps, ` +
      `${Math.round(seconds / 3600)} h of virtual time in ${Math.round(took)} s: ${Math.round(done / took)} runs a second`
    );
  };
  const onEnded = (ended: Simulated): void => {
    done++;
    steps += ended.steps;
    seconds += ended.virtualMs / 1000;
    if (ended.failure !== null) failed.push(ended);
    if (ended.failure !== null && failed.length <= mostTold) tell(ended, bug);
    if (performance.now() - toldAt < tellEveryMs) return;
    toldAt = performance.now();
    console.log(line());
  };
  const threads = Math.min(jobs, seeds);
  await Promise.all(
    Array.from({ length: threads }, (_, at) => {
      const share = all.flatMap((seed, index) => (index % threads === at ? [seed] : []));
      return inThread({ seeds: share, bug }, onEnded);
    }),
  );
  console.log(line());
  const [first] = failed.toSorted((a, b) => a.seed - b.seed);
  if (first === undefined) return 0;
  console.log("what happened last with the first seed that failed:");
  return one(first.seed, { trace: false, bug });
}

function inThread(share: Share, onEnded: (ended: Simulated) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(process.argv[1] ?? "", { workerData: share });
    worker.on("message", onEnded);
    worker.once("error", reject);
    worker.once("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`a thread ended with ${code}`));
    });
  });
}

async function work({ seeds, bug }: Share): Promise<void> {
  for (const seed of seeds)
    parentPort?.postMessage(await simulate(seed, bug === null ? {} : { bug: bugNamed(bug).make() }), []);
}

function tell({ seed, steps, virtualMs, drivers, failure }: Simulated, bug: string | null): void {
  const when = `step ${steps}, ${(virtualMs / 1000).toFixed(1)} s, driver ${drivers}`;
  console.log(`seed ${seed}: ${failure === null ? "nothing went wrong" : "FAILURE"} (${when})`);
  if (failure === null) return;
  console.log(failure.replaceAll(/^/gm, "  "));
  console.log(`  again: npm run simulate -- --seed ${seed}${bug === null ? "" : ` --bug ${bug}`} --trace`);
}

const [lastLines, mostTold, tellEveryMs] = [40, 5, 5000];

if (isMainThread) await endWith(main(process.argv.slice(2)));
else await work(workerData as Share);
