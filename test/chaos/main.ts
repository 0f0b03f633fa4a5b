// npm run chaos [-- OPTIONS]: a run under faults, and whether it kept what docs/reliability.md promises.
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Outcome, chaos } from "./chaos.js";
import { optionsOf, usage } from "./options.js";

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    process.stdout.write(usage);
    return 0;
  }
  const options = optionsOf(args, { seed: randomBytes(4).toString("hex") });
  const place = options.directory ?? mkdtempSync(path.join(tmpdir(), "taskmuster-chaos-"));
  mkdirSync(place, { recursive: true });
  const begunAt = performance.now();
  const say = (text: string): void =>
    console.log(`${((performance.now() - begunAt) / 1000).toFixed(1).padStart(7)} ${text}`);
  console.log(
    `seed ${options.seed}, ${options.tasks} tasks, ${options.store} store, faults for ${options.seconds} s, in ${place}`,
  );
  const outcome = await chaos(options, realpathSync(place), say);
  for (const line of figures(outcome)) console.log(line);
  if (outcome.faults.length > 0) {
    console.log(`FAULTS, seed ${options.seed}; what is left of the run is in ${place}`);
    for (const fault of outcome.faults) console.log(`  ${fault}`);
    return 1;
  }
  if (options.directory === null) rmSync(place, { recursive: true });
  console.log(`all was kept; seed ${options.seed}`);
  return 0;
}

function figures(outcome: Outcome): readonly string[] {
  const { seconds, attempts, ranTwice, named, failed, lateRows, drivers, contexts, journalLines } = outcome;
  const counted = (counts: ReadonlyMap<string, number>): string =>
    [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
  return [
    `${seconds} s; attempts ${attempts}; tasks that ran twice ${ranTwice}, named by the audit ${named}; late rows ${lateRows}; failed ${failed}`,
    `drivers ${drivers}, contexts ${contexts}, lines of the journal ${journalLines}`,
    `drivers that gave up: ${counted(outcome.refusals)}`,
    `faults: ${counted(outcome.inflicted)}`,
  ];
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
