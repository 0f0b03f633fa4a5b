/**
 * How many tasks to claim beyond the free slots. None, unless tasks are shorter than a few round trips to the
 * store: then as many as run in `aheadMs`, so that one trip serves many of them. A claimed task that waits here
 * is one that no idle engine elsewhere can take, so this is only for tasks that are over in no time; what waits longer than
 * expected is handed back (`EngineCore.onReminder`).
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

  /** Tasks were not as short as they seemed: starts to learn anew. */
  forgetTasks(): void {
    this.#taskMs = null;
  }

  get ahead(): number {
    if (this.#tripMs === null || this.#taskMs === null) return 0;
    if (this.#taskMs >= Math.max(tripsPerTask * this.#tripMs, shortTaskMs)) return 0;
    const forAWhile = Math.ceil((this.#slots * aheadMs) / Math.max(this.#taskMs, leastTaskMs));
    return Math.min(forAWhile, aheadMost);
  }
}

const tripsPerTask = 4;
/** Shorter than this a task is mostly the start of its shell. */
const shortTaskMs = 5;
const aheadMs = 20;
const leastTaskMs = 0.1;
const aheadMost = 256;
const weight = 0.2;

function smoothed(before: number | null, value: number): number {
  return before === null ? value : before + weight * (value - before);
}
