import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../bench.js";
import { run } from "../processes/run.js";
import type { ProcessWatch } from "../processes/watch.js";

export interface OurRun {
  /** From typing to the prompt. */
  readonly seconds: number;
  /** From the start of the first task to the end of the last, by the status file. */
  readonly taskSpan: number;
  /** Holds the run's files, as `x_…`. */
  readonly directory: string;
}

/** A whole run of the built command. Throws unless every task stands in the status file once, as one that succeeded. */
export async function runOurs(
  bench: Bench,
  job: {
    readonly list: string;
    readonly tasks: number;
    readonly slots: number;
    readonly options?: readonly string[];
    readonly watch?: ProcessWatch;
  },
): Promise<OurRun> {
  const directory = bench.fresh();
  const args = [
    "-s",
    `localhost:${job.slots}`,
    "--quiet",
    "-p",
    join(directory, "x"),
    ...(job.options ?? []),
  ];
  const { seconds } = await run([bench.program("bin/driver"), ...args, job.list], {
    cwd: directory,
    onStart: ({ pid }) => job.watch?.add(pid ?? -1, "driver"),
  });
  return { seconds, taskSpan: checkStatus(join(directory, "x_status.txt"), job.tasks), directory };
}

/** Seconds from the first start to the last end. Throws unless the file has one good row for each of so many tasks. */
export function checkStatus(file: string, tasks: number): number {
  const program =
    "$7 != 0 || seen[$2]++ { bad++ } NR == 1 || $9 < first { first = $9 } $10 > last { last = $10 } " +
    'END { print NR, bad + 0; printf "%.3f", last - first }';
  const [rows, bad, span] = execFileSync("awk", ["-F", "\t", program, file])
    .toString()
    .trim()
    .split(/\s+/)
    .map(Number);
  if (rows !== tasks || bad !== 0)
    throw new Error(`${file}: ${rows} rows for ${tasks} tasks, ${bad} of them bad`);
  return span ?? Number.NaN;
}

/** What a status file of a resumed run says of the tasks that were done before is of no interest here: rows that are new. */
export function firstStart(file: string): number {
  const program = '$1 !~ /S/ && (!some++ || $9 < first) { first = $9 } END { printf "%.3f", first }';
  return Number(execFileSync("awk", ["-F", "\t", program, file]).toString());
}

/** The last line of a log whose message is this; null: there is none. */
export function logLine(file: string, message: string): Readonly<Record<string, unknown>> | null {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n").toReversed();
  for (const line of lines) {
    const entry = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (entry["msg"] === message) return entry;
  }
  return null;
}
