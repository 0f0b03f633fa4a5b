import { type OptionRow, longName } from "./option-table.js";
import { UsageError } from "./usage-error.js";

/**
 * Writes abbreviated long options out, as Python's argparse does: `--resume` is `--resume-from`. What is unambiguous among
 * disBatch's own options stays so, whatever options of ours begin alike. Throws `UsageError`.
 */
export function expandAbbreviations(args: readonly string[], rows: readonly OptionRow[]): string[] {
  const names: Names = {
    all: rows.filter((row) => row.hidden === undefined).map(longName),
    known: new Set([...rows.map(longName), "--help"]),
    ofDisBatch: [...rows.filter((row) => row.origin === "disBatch").map(longName), "--help"],
  };
  const end = args.indexOf("--");
  return args.map((arg, index) => (end !== -1 && index >= end ? arg : expanded(arg, names)));
}

interface Names {
  readonly all: readonly string[];
  readonly known: ReadonlySet<string>;
  readonly ofDisBatch: readonly string[];
}

function expanded(arg: string, names: Names): string {
  if (!arg.startsWith("--") || arg === "--") return arg;
  const equals = arg.indexOf("=");
  const name = equals === -1 ? arg : arg.slice(0, equals);
  const value = equals === -1 ? "" : arg.slice(equals);
  if (names.known.has(name)) return arg;
  for (const candidates of [names.ofDisBatch, names.all]) {
    const matches = candidates.filter((candidate) => candidate.startsWith(name));
    if (matches.length === 1) return `${matches[0]}${value}`;
    if (matches.length > 1) throw new UsageError(`ambiguous option: ${name} could be ${matches.join(", ")}`);
  }
  throw new UsageError(`unknown option: ${name} (--help lists them)`);
}
