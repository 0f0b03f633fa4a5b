import { parseArgs } from "node:util";

export interface Options {
  readonly seed: string;
  /** For so long faults are injected; the list is worked through in any case. */
  readonly seconds: number;
  /** After so many of them there are no more. */
  readonly faults: number;
  readonly tasks: number;
  /** Contexts with one engine each that are kept alive. */
  readonly engines: number;
  readonly slots: number;
  readonly leaseSeconds: number;
  /** Mean time between two faults. */
  readonly everyMs: number;
  /** That of the run itself, which its driver starts, or somebody else's server. */
  readonly store: "private" | "external";
  /** Stays behind when something was found; null: one of its own, removed when all is well. */
  readonly directory: string | null;
}

export const usage = `npm run chaos [-- OPTIONS]
  --seed TEXT        the seed of an earlier run
  --minutes N        for so long faults are injected (10)
  --faults N         at most so many
  --tasks N          tasks of the list (20000)
  --engines N        engines, each in a context of its own (3)
  --slots N          slots of each (3)
  --lease SECONDS    (6)
  --every MS         mean time between faults (1200)
  --external         with a server that is not the run's own
  --directory DIR    where the run's files are kept
`;

/** Throws an `Error` for a person on anything else than the usage says. */
export function optionsOf(args: readonly string[], defaults: { readonly seed: string }): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: defaults.seed },
      minutes: { type: "string", default: "10" },
      faults: { type: "string", default: "1000000" },
      tasks: { type: "string", default: "20000" },
      engines: { type: "string", default: "3" },
      slots: { type: "string", default: "3" },
      lease: { type: "string", default: "6" },
      every: { type: "string", default: "1200" },
      external: { type: "boolean", default: false },
      directory: { type: "string" },
    },
  });
  return {
    seed: values.seed,
    seconds: 60 * positive("--minutes", values.minutes),
    faults: Math.ceil(positive("--faults", values.faults)),
    tasks: Math.ceil(positive("--tasks", values.tasks)),
    engines: Math.ceil(positive("--engines", values.engines)),
    slots: Math.ceil(positive("--slots", values.slots)),
    leaseSeconds: positive("--lease", values.lease),
    everyMs: positive("--every", values.every),
    store: values.external ? "external" : "private",
    directory: values.directory ?? null,
  };
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= 10_000_000) return value;
  throw new Error(`${option} ${JSON.stringify(text)}: a number above 0 is wanted`);
}
