/**
 * For how long reports may gather in the store before the driver takes them, as many in one trip cost little more than one. Engines must not
 * run out of tasks meanwhile, and how soon they would is not to be seen from how many they end: one that has run out ends none. So the wait
 * begins short, at most doubles from one to the next, and is such that half of what was out is left after it.
 */
export class Gathering {
  #ms = leastMs;
  #out = 0;
  #came = 0;

  /** So many reports were taken. */
  came(count: number): void {
    this.#came += count;
  }

  /** How long to wait now, in ms, as `out` tasks are with the engines or published; 0: not at all. */
  next(out: number): number {
    if (this.#out > 0) {
      const factor = Math.min(2, this.#out / 2 / Math.max(1, this.#came));
      this.#ms = Math.min(mostMs, Math.max(leastMs, this.#ms * factor));
    }
    this.#out = out;
    this.#came = 0;
    return out === 0 || this.#ms < worthMs ? 0 : this.#ms;
  }
}

const leastMs = 1;
/** Shorter ones are not worth their timer. */
const worthMs = 4;
/** What is reported shall not be long in coming to the disk. */
const mostMs = 500;
