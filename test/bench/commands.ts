import { spawn, spawnSync } from "node:child_process";

export interface Timed {
  readonly seconds: number;
  readonly stdout: string;
}

/** Runs a command to its end. Throws when it fails: a figure of something that did not work is worth nothing. */
export async function timed(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Timed> {
  const startedAt = performance.now();
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit status ${code}: ${stderr}`);
  return { seconds: (performance.now() - startedAt) / 1000, stdout };
}

/** The same in turn, A B C A B C …, so that a machine whose speed drifts is fair to all. */
export async function inTurn<Name extends string>(
  runs: number,
  commands: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, readonly number[]>> {
  const names = Object.keys(commands) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let run = -1; run < runs; run++) {
    for (const name of names) {
      const value = await commands[name]();
      // The first round warms the caches.
      if (run >= 0) results[name].push(value);
    }
  }
  return results;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Median of the ratios run by run. */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, index) => value / (b[index] ?? Number.NaN)));
}

export function isInstalled(command: string): boolean {
  return spawnSync("/bin/sh", ["-c", `command -v ${command}`]).status === 0;
}
