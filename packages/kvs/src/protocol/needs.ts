import type { Brand } from "./ids.js";

/**
 * What one task needs of an engine. Tasks wait in one queue per distinct needs, so that an engine
 * claims only what fits. A value: equal needs have equal keys.
 */
export interface Needs {
  /** Cores; may be a fraction (`-c 0.5`). */
  readonly cores: number;
}

/** Canonical text of `Needs`; names the queue. */
export type NeedsKey = Brand<string, "NeedsKey">;

const keyPattern = /^c(\d+(?:\.\d+)?(?:e-\d+)?)$/;

export function needsKey(needs: Needs): NeedsKey {
  return `c${needs.cores}` as NeedsKey;
}

/** The inverse of `needsKey`; throws a `RangeError` on anything else. */
export function parseNeedsKey(key: string): Needs {
  const needs = { cores: Number(keyPattern.exec(key)?.[1]) };
  // Written in one way only: two keys of the same needs would be two queues.
  if (needsKey(needs) !== key || !Number.isFinite(needs.cores))
    throw new RangeError(`not a needs key: ${JSON.stringify(key.slice(0, 50))}`);
  return needs;
}
