import { parseArgs } from "node:util";

export interface Options {
  readonly seconds: number;
  readonly seed: string;
  /** Names of targets, or parts of them; empty: all. */
  readonly only: readonly string[];
  /** A file with one input, to try it alone. */
  readonly replay: string | null;
  readonly list: boolean;
  /** Leaves a target at its first failure. */
  readonly first: boolean;
  /** An input that takes longer hangs. */
  readonly hangSeconds: number;
  /** Where failing inputs are kept. */
  readonly directory: string;
}

export const usage = `npm run fuzz [-- OPTIONS]
  --seconds N      for all targets together (60)
  --target NAME    only targets with this in their name; may be repeated
  --seed TEXT      the seed of an earlier run
  --replay FILE    tries one input with the targets named
  --list           names the targets
  --first          leaves a target at its first failure
  --hang N         an input that takes so many seconds hangs (10)
  --directory DIR  where failing inputs are kept (build/fuzz)
`;

/** Throws an `Error` for a person on anything else than the usage says. */
export function optionsOf(args: readonly string[], defaults: Pick<Options, "seed" | "directory">): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "60" },
      target: { type: "string", multiple: true, default: [] },
      seed: { type: "string", default: defaults.seed },
      replay: { type: "string" },
      list: { type: "boolean", default: false },
      first: { type: "boolean", default: false },
      hang: { type: "string", default: "10" },
      directory: { type: "string", default: defaults.directory },
    },
  });
  return {
    seconds: positive("--seconds", values.seconds),
    seed: values.seed,
    only: values.target,
    replay: values.replay ?? null,
    list: values.list,
    first: values.first,
    hangSeconds: positive("--hang", values.hang),
    directory: values.directory,
  };
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= 1_000_000) return value;
  throw new Error(`${option} ${JSON.stringify(text)}: a number above 0 is wanted`);
}
