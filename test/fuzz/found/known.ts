import type { Found } from "../watch.js";

/** A fault that is not mended yet. Its test, an `it.fails` in `open.test.ts`, says when it is. */
interface Known {
  readonly targets: readonly string[];
  readonly signature: RegExp;
  /** What is wrong. */
  readonly fault: string;
}

const known: readonly Known[] = [];

/** Null: nobody knows of this. */
export function whyKnown({ target, signature }: Pick<Found, "target" | "signature">): string | null {
  const found = known.find((each) => each.targets.includes(target) && each.signature.test(signature));
  return found?.fault ?? null;
}
