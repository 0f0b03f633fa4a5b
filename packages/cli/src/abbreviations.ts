import { driverOptions, longName } from "./option-table.js";
import { UsageError } from "./usage-error.js";

/**
 * Writes abbreviated long options out, as Python's argparse does: `--resume` is `--resume-from`. What is unambiguous among
 * disBatch's own options stays so, whatever options of ours begin alike. Throws `UsageError`.
 */
export function expandAbbreviations(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return args.map((arg, index) => (end !== -1 && index >= end ? arg : expanded(arg)));
}

const all = driverOptions.filter((row) => row.hidden === undefined).map(longName);
const known = new Set([...driverOptions.map(longName), "--help"]);
const ofDisBatch = driverOptions.filter((row) => row.origin !== "ours").map(longName);

function expanded(arg: string): string {
  if (!arg.startsWith("--") || arg === "--") return arg;
  const equals = arg.indexOf("=");
  const name = equals === -1 ? arg : arg.slice(0, equals);
  const value = equals === -1 ? "" : arg.slice(equals);
  if (known.has(name)) return arg;
  for (const candidates of [[...ofDisBatch, "--help"], all]) {
    const matches = candidates.filter((candidate) => candidate.startsWith(name));
    if (matches.length === 1) return `${matches[0]}${value}`;
    if (matches.length > 1) throw new UsageError(`ambiguous option: ${name} could be ${matches.join(", ")}`);
  }
  throw new UsageError(`unknown option: ${name} (driver --help lists them)`);
}
