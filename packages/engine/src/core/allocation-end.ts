/** So many of the last tasks say how long the next ones will take. */
const remembered = 50;
const longestMarginMs = 10_000;
const marginShare = 0.1;
/** However long tasks take, some are tried. */
const mostShare = 0.5;

/**
 * Decides when an engine whose allocation ends takes nothing new any more: early enough for what it takes last to end. Times are
 * by one monotonic clock.
 */
export class AllocationEnd {
  readonly #endsAtMs: number;
  readonly #marginMs: number;
  readonly #mostMs: number;
  readonly #tookMs: number[] = [];
  #next = 0;

  constructor(endsAtMs: number, nowMs: number) {
    const leftMs = endsAtMs - nowMs;
    this.#endsAtMs = endsAtMs;
    this.#marginMs = Math.min(longestMarginMs, leftMs * marginShare);
    this.#mostMs = leftMs * mostShare;
  }

  taskTook(ms: number): void {
    this.#tookMs[this.#next] = ms;
    this.#next = (this.#next + 1) % remembered;
  }

  isNear(nowMs: number): boolean {
    const needMs = Math.min(Math.max(this.#marginMs, ...this.#tookMs), this.#mostMs);
    return nowMs >= this.#endsAtMs - needMs;
  }
}

/**
 * Reads SLURM_JOB_END_TIME, seconds since 1970; answers ms since 1970. Null where there is none, or one that has passed: then
 * either clock is wrong, as we are alive.
 */
export function allocationEndsAt(text: string | undefined, nowMs: number): number | null {
  // More digits are no time, and would not be a number that a message can carry.
  if (text === undefined || !/^\d{1,12}$/.test(text)) return null;
  const endsAtMs = Number(text) * 1000;
  return endsAtMs > nowMs ? endsAtMs : null;
}
