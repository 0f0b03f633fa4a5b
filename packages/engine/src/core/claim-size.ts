/**
 * How many tasks to claim beyond the free slots: as many as will end in the next `aheadMs`, so that a slot has its next task at
 * once, and one trip to the store serves many tasks. None when tasks are longer than that. A claimed task that waits here
 * is one that no idle engine elsewhere can take, but not for longer than `aheadMs`; what waits longer than
 * expected is handed back (`EngineCore.onReminder`).
 */
export class ClaimSize {
  readonly #slots: number;
  readonly #most: number;
  #taskMs: number | null = null;

  constructor(slots: number, most = aheadMost) {
    this.#slots = slots;
    this.#most = most;
  }

  taskTook(ms: number): void {
    this.#taskMs = this.#taskMs === null ? ms : this.#taskMs + weight * (ms - this.#taskMs);
  }

  /** Tasks were not as short as they seemed: starts to learn anew. */
  forgetTasks(): void {
    this.#taskMs = null;
  }

  get ahead(): number {
    if (this.#taskMs === null) return 0;
    const forAWhile = Math.floor((this.#slots * aheadMs) / Math.max(this.#taskMs, leastTaskMs));
    return Math.min(forAWhile, this.#most);
  }
}

const aheadMs = 200;
const leastTaskMs = 0.1;
const aheadMost = 256;
const weight = 0.2;
