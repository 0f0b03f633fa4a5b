import { MalformedMessageError } from "./errors.js";
import type { Wanted } from "./store.js";

const byStrength = ["run", "hold", "drain", "stop"] as const satisfies readonly Wanted[];

/** 0, 1, 2, 3: what the scripts compare. */
export function wantedNumber(wanted: Wanted): number {
  return byStrength.indexOf(wanted);
}

/** The inverse; throws `MalformedMessageError`. */
export function wantedOf(number: number): Wanted {
  const wanted = byStrength[number];
  if (wanted === undefined) throw new MalformedMessageError("order", `${number} is none`);
  return wanted;
}

export function strongest(...all: readonly Wanted[]): Wanted {
  return wantedOf(Math.max(0, ...all.map(wantedNumber)));
}
