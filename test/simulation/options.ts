import { parseArgs } from "node:util";
import { type Family, families } from "./faults/families.js";

export interface Options {
  /** The first one, and how many. */
  readonly from: number;
  readonly seeds: number;
  /** One alone. */
  readonly seed: number | null;
  readonly trace: boolean;
  readonly jobs: number;
  /** The name of a planted bug; null: none. */
  readonly bug: string | null;
  /** Null: all. */
  readonly family: Family | null;
}

export const usage = `npm run simulate [-- OPTIONS]
  --seeds N   so many runs of the whole system, each with other faults (1000)
  --from N    the first seed (1)
  --seed N    one run; prints what happened last if it fails
  --trace     with --seed: prints all that happens
  --jobs N    threads (one for each core)
  --family F  only seeds of this family: what goes wrong again and again in them ("list" names them)
  --bug NAME  with a planted bug, to see it caught; "list" names them
`;

/** Throws an `Error` for a person on anything else than the usage says. */
export function optionsOf(args: readonly string[], cores: number): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
      jobs: { type: "string", default: `${cores}` },
      bug: { type: "string" },
      family: { type: "string" },
    },
  });
  if (values.trace && values.seed === undefined) throw new Error("--trace goes with --seed N");
  return {
    from: whole("--from", values.from),
    seeds: whole("--seeds", values.seeds),
    seed: values.seed === undefined ? null : whole("--seed", values.seed),
    trace: values.trace,
    jobs: whole("--jobs", values.jobs),
    bug: values.bug ?? null,
    family: values.family === undefined ? null : familyNamed(values.family),
  };
}

function familyNamed(name: string): Family {
  const family = families.find((each) => each === name);
  if (family !== undefined) return family;
  throw new Error(`no family ${name}; there are: ${[...new Set(families)].join(", ")}`);
}

function whole(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value > 0 && Number.isSafeInteger(value)) return value;
  throw new Error(`${option} ${JSON.stringify(text)}: a whole number above 0 is wanted`);
}
