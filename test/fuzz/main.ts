// npm run fuzz [-- OPTIONS]: tries odd inputs on everything of ours that reads what others wrote, for as long as it is told.
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isMainThread } from "node:worker_threads";
import { endWith } from "../end-with.js";
import { attempt } from "./attempt.js";
import { whyKnown } from "./found/known.js";
import { type Options, optionsOf, usage } from "./options.js";
import { targetsWith } from "./target-list.js";
import { targets } from "./targets/index.js";
import { type Found, watch } from "./watch.js";
import { work } from "./worker.js";

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    process.stdout.write(usage);
    return 0;
  }
  const options = optionsOf(args, {
    seed: randomBytes(4).toString("hex"),
    directory: path.join("build", "fuzz"),
  });
  if (options.list) {
    for (const { name } of targets) console.log(name);
    return 0;
  }
  return options.replay === null ? fuzz(options) : replay(options, options.replay);
}

async function fuzz({ seed, seconds, first, hangSeconds, only, directory }: Options): Promise<number> {
  const chosen = targetsWith(only);
  console.log(`seed ${seed}, ${seconds} s for ${chosen.length} targets`);
  let news = 0;
  for (const { name } of chosen) {
    const onFound = (found: Found): void => {
      const known = whyKnown(found);
      if (known !== null) return console.log(`${name}: known: ${known}`);
      news++;
      tell(found, keep(directory, found));
    };
    const share = seconds / chosen.length;
    const { runs, kept } = await watch({ target: name, seed, seconds: share, first, hangSeconds, onFound });
    console.log(`${name}: ${runs} runs, ${kept} inputs that each reached something new`);
  }
  console.log(news === 0 ? `nothing new was found; seed ${seed}` : `${news} failures; seed ${seed}`);
  return news === 0 ? 0 : 1;
}

function keep(directory: string, { target, input }: Found): string {
  const hash = createHash("sha256").update(input).digest("hex").slice(0, 12);
  const file = path.join(directory, `${target}-${hash}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(file, input);
  return file;
}

function tell({ target, input, message, stack }: Found, file: string): void {
  const shown = JSON.stringify(input.subarray(0, 200).toString("latin1"));
  console.log(`${target}: FAILURE: ${message}`);
  console.log(`  ${input.length} bytes: ${shown}`);
  console.log(`  again: npm run fuzz -- --target ${target} --replay ${file}`);
  if (stack !== "") console.log(stack.replaceAll(/^/gm, "    "));
}

async function replay({ only }: Options, file: string): Promise<number> {
  const input = readFileSync(file);
  let failures = 0;
  for (const target of targetsWith(only)) {
    const failure = await attempt(target, Buffer.from(input));
    if (failure === null) continue;
    failures++;
    console.log(`${target.name}: ${failure.message}\n${failure.stack}`);
  }
  console.log(failures === 0 ? "no failure" : `${failures} failures`);
  return failures === 0 ? 0 : 1;
}

if (isMainThread) await endWith(main(process.argv.slice(2)));
else await work();
