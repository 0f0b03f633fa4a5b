import { type RowName, rowNames } from "./figures/result.js";

export interface BenchOptions {
  readonly only: readonly RowName[];
  /** Rounds of each comparison. */
  readonly runs: number;
  /** Tasks in the long lists; null: as many as the page says. */
  readonly tasks: number | null;
  readonly hq: string | null;
  readonly hqZero: string | null;
  readonly disbatch: string | null;
  readonly quick: boolean;
  readonly json: string | null;
  readonly write: boolean;
  /** Nothing is measured: the page is made of these. */
  readonly from: readonly string[];
}

export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const usage = `usage: npm run bench -- [OPTIONS]
  --only a,c          only these rows
  --runs N            rounds of each comparison (default 5)
  --tasks N           tasks in the long lists of c, g, i, k (default 1,000,000)
  --hq PATH           a HyperQueue to compare with
  --hq-zero PATH      one that was built with its zero_worker cfg: its workers end each task at once
  --disbatch DIR      a checkout of disBatch to compare with
  --quick             small sizes, to see that everything works; the figures mean nothing
  --json FILE         writes what was measured there
  --write             writes what was measured into docs/benchmarks.md, and draws its plots
  --from FILE[,FILE]  with --write: measures nothing, takes what --json wrote; rows of later files win`;

const flags = ["--quick", "--write"] as const;
const valued = [
  "--only",
  "--runs",
  "--tasks",
  "--hq",
  "--hq-zero",
  "--disbatch",
  "--json",
  "--from",
] as const;
type Valued = (typeof valued)[number];

/** Throws `UsageError`. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const given = new Set<string>();
  const values = new Map<Valued, string>();
  for (let at = 0; at < args.length; at++) {
    const [name = "", ...rest] = (args[at] ?? "").split("=");
    const takesValue = valued.find((each) => each === name);
    if (takesValue !== undefined) {
      const value = rest.length > 0 ? rest.join("=") : args[++at];
      if (value === undefined || value === "") throw new UsageError(`${name} needs a value`);
      values.set(takesValue, value);
    } else if (rest.length === 0 && flags.some((each) => each === name)) given.add(name);
    else throw new UsageError(`unknown option ${JSON.stringify(args[at])}`);
  }
  const options: BenchOptions = {
    only: rowsOf(values.get("--only")),
    runs: count("--runs", values.get("--runs")) ?? 5,
    tasks: count("--tasks", values.get("--tasks")),
    hq: values.get("--hq") ?? null,
    hqZero: values.get("--hq-zero") ?? null,
    disbatch: values.get("--disbatch") ?? null,
    quick: given.has("--quick"),
    json: values.get("--json") ?? null,
    write: given.has("--write"),
    from: values.get("--from")?.split(",") ?? [],
  };
  if (options.from.length > 0 && !options.write) throw new UsageError("--from is for --write");
  return options;
}

function rowsOf(list: string | undefined): readonly RowName[] {
  if (list === undefined) return rowNames;
  const wanted = new Set(list.split(","));
  const rows = rowNames.filter((row) => wanted.delete(row));
  const [unknown] = wanted;
  if (unknown !== undefined) throw new UsageError(`--only: there is no row ${JSON.stringify(unknown)}`);
  return rows;
}

function count(option: string, value: string | undefined): number | null {
  if (value === undefined) return null;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new UsageError(`${option} takes a whole number, 1 or more`);
  return Number(value);
}
