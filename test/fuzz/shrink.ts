import { type Failure, attempt } from "./attempt.js";
import type { Target } from "./target.js";

const mostTries = 2_000;

/** A shorter input, as a rule, with a failure of the same kind. */
export async function shrink(
  target: Target,
  input: Buffer,
  found: Failure,
  onTry: (input: Buffer) => void,
): Promise<{ readonly input: Buffer; readonly failure: Failure }> {
  let tries = 0;
  const failureWith = async (candidate: Buffer): Promise<Failure | null> => {
    tries++;
    onTry(candidate);
    const failure = await attempt(target, Buffer.from(candidate));
    return failure?.signature === found.signature ? failure : null;
  };
  let best = input;
  let failure = found;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = best.length - size; from > -size; from -= size) {
      if (tries >= mostTries) return { input: best, failure };
      const begin = Math.max(0, from);
      const candidate = Buffer.concat([best.subarray(0, begin), best.subarray(begin + size)]);
      const fails = candidate.length < best.length ? await failureWith(candidate) : null;
      if (fails !== null) [best, failure] = [candidate, fails];
    }
  }
  return { input: best, failure };
}
