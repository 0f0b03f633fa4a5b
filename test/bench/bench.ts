import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RowResult } from "./figures/result.js";
import type { BenchOptions } from "./options.js";

/** What a row has to say; the runner adds when and where, and the rounds where they are as many as were asked for. */
export type Measured = Partial<Pick<RowResult, "figures" | "tables" | "series" | "remarks" | "rounds">>;

/** One call of the benchmark: its options, and a directory that is gone in the end. */
export class Bench {
  readonly options: BenchOptions;
  /** The built tree. */
  readonly root = process.cwd();
  readonly #work = mkdtempSync(join(tmpdir(), "taskmuster-bench-"));
  #made = 0;

  constructor(options: BenchOptions) {
    this.options = options;
  }

  get runs(): number {
    return this.options.quick ? Math.min(2, this.options.runs) : this.options.runs;
  }

  size(full: number, quick: number): number {
    return this.options.quick ? quick : full;
  }

  /** Tasks in a long list. */
  get tasks(): number {
    return this.options.tasks ?? this.size(1_000_000, 20_000);
  }

  program(name: "bin/driver" | "dist/engine.js"): string {
    return join(this.root, name);
  }

  /** A new empty directory. */
  fresh(): string {
    const directory = join(this.#work, `run${this.#made++}`);
    mkdirSync(directory);
    return directory;
  }

  /** A list of so many times this line. */
  list(command: string, times: number): string {
    const file = join(this.#work, `${command.replaceAll(/\W/g, "")}-${times}`);
    writeFileSync(file, `${command}\n`.repeat(times));
    return file;
  }

  say(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  close(): void {
    rmSync(this.#work, { recursive: true, force: true });
  }
}

/**
 * Each in turn, A B C A B C …, so that a machine whose speed drifts is fair to all. `warm`: one round more before, which
 * does not count.
 */
export async function inTurn<Name extends string, Value>(
  rounds: number,
  peers: Readonly<Record<Name, (() => Promise<Value>) | null>>,
  warm: "warm" | "cold" = "cold",
): Promise<Record<Name, readonly Value[]>> {
  const names = (Object.keys(peers) as Name[]).filter((name) => peers[name] !== null);
  const values = Object.fromEntries(Object.keys(peers).map((name) => [name, [] as Value[]])) as Record<
    Name,
    Value[]
  >;
  for (let round = warm === "warm" ? -1 : 0; round < rounds; round++) {
    for (const name of names) {
      const value = await peers[name]?.();
      if (round >= 0 && value !== undefined) values[name].push(value);
    }
  }
  return values;
}
