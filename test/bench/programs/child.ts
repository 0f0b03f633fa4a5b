import { createInterface } from "node:readline";
import { type Running, start } from "../processes/run.js";
import { type BareEngineJob, bareEngine } from "./bare-engine.js";
import { type BareProducerJob, bareProducer } from "./bare-producer.js";
import { type FleetJob, type FleetResult, fleet } from "./fleet.js";

/* Programs that rows need as processes of their own: this same file, started with `--child NAME`. A job comes as a line on standard input. */

export type { FleetResult };

export interface Jobs {
  readonly "bare-producer": BareProducerJob;
  readonly "bare-engine": BareEngineJob;
  readonly fleet: FleetJob;
}

const flag = "--child";

/** Does what a child is to do; false: this process is none. */
export async function runAsChild(args: readonly string[]): Promise<boolean> {
  const [first, name = ""] = args;
  if (first !== flag) return false;
  const lines = createInterface({ input: process.stdin });
  const job: unknown = await new Promise((resolve) => {
    lines.once("line", (line) => resolve(JSON.parse(line)));
  });
  lines.close();
  const tell = (value: unknown): void => {
    process.stdout.write(`${JSON.stringify(value)}\n`);
  };
  if (name === "bare-producer") tell(await bareProducer(job as BareProducerJob));
  else if (name === "bare-engine") tell(await bareEngine(job as BareEngineJob));
  else if (name === "fleet") tell(await fleet(job as FleetJob, (seconds) => tell({ joined: seconds })));
  else throw new Error(`no such child: ${name}`);
  return true;
}

/** Starts one. What it tells stands on its standard output, a line of JSON each, the result last. */
export function startChild<Name extends keyof Jobs>(
  name: Name,
  job: Jobs[Name],
  options: { readonly cwd: string; readonly prefix?: readonly string[] },
): Running {
  const [, file = ""] = process.argv;
  const words = [...(options.prefix ?? []), process.execPath, file, flag, name];
  const running = start(words, { cwd: options.cwd });
  running.child.stdin?.end(`${JSON.stringify(job)}\n`);
  return running;
}

/** What it told last. */
export async function resultOf<Value>(running: Running): Promise<Value> {
  const { stdout } = await running.finished;
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "null") as Value;
}
