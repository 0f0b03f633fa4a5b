/** A window with fewer ended tasks in it than this tells little; the next longer one is asked. */
const enough = 10;
const windowsMs = [60_000, 15 * 60_000];

/**
 * How fast tasks end: over the last minute, or, where tasks are long, over the last quarter of an hour, or over the whole run.
 * `now` in ms, monotonic.
 */
export class Pace {
  #samples: { readonly at: number; readonly done: number }[] = [];

  sample(done: number, now: number): void {
    const last = this.#samples.at(-1);
    // Another run of numbers: a driver that took over.
    if (last !== undefined && done < last.done) this.#samples = [];
    if (last?.done === done && this.#samples.at(-2)?.done === done) this.#samples.pop();
    this.#samples.push({ at: now, done });
    const oldest = now - Math.max(...windowsMs);
    while ((this.#samples[1]?.at ?? now) < oldest) this.#samples.shift();
  }

  /** Tasks per second. `elapsedSeconds`: how long the run has taken so far; null: nothing has ended yet. */
  rate(elapsedSeconds: number): number | null {
    const last = this.#samples.at(-1);
    if (last === undefined || last.done === 0) return null;
    for (const windowMs of windowsMs) {
      const first = this.#samples.find(({ at }) => last.at - at <= windowMs);
      if (first !== undefined && last.done - first.done >= enough && last.at - first.at >= shortestMs)
        return (1000 * (last.done - first.done)) / (last.at - first.at);
    }
    return elapsedSeconds > 0 ? last.done / elapsedSeconds : null;
  }
}

/** The driver tells its numbers once a second: over a shorter time they jump. */
const shortestMs = 5_000;
