/**
 * How many tasks to claim beyond the free slots. None, unless tasks are shorter than a few round trips to the
 * store: then as many again as there are slots, so that the trip is hidden. A claimed task that waits
 * here is one that no idle engine elsewhere can take, so this is only for tasks that are over in no time.
 */
export class ClaimSize {
  readonly #slots: number;
  #tripMs: number | null = null;
  #taskMs: number | null = null;

  constructor(slots: number) {
    this.#slots = slots;
  }

  tripTook(ms: number): void {
    this.#tripMs = smoothed(this.#tripMs, ms);
  }

  taskTook(ms: number): void {
    this.#taskMs = smoothed(this.#taskMs, ms);
  }

  get ahead(): number {
    if (this.#tripMs === null || this.#taskMs === null) return 0;
    return this.#taskMs < tripsPerTask * this.#tripMs ? Math.min(this.#slots, aheadMost) : 0;
  }
}

const tripsPerTask = 4;
const aheadMost = 128;
const weight = 0.2;

function smoothed(before: number | null, value: number): number {
  return before === null ? value : before + weight * (value - before);
}
