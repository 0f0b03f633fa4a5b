/**
 * How many tasks may be published and not ended. Enough that no engine waits for the driver (which looks in
 * batches, and may be held up by a slow disk), and no more: engines run what is published even when the driver is dead.
 */
export class Window {
  #slots = 0;
  #rate = 0;
  #since: number | null = null;
  #ended = 0;

  setSlots(slots: number): void {
    this.#slots = slots;
  }

  /** Tells that `count` tasks ended; `now` in ms. */
  tasksEnded(count: number, now: number): void {
    this.#since ??= now;
    this.#ended += count;
    const ms = now - this.#since;
    if (ms < measureMs) return;
    this.#rate = (this.#ended * 1000) / ms;
    this.#since = now;
    this.#ended = 0;
  }

  get tasks(): number {
    const forRate = Math.ceil(this.#rate * secondsAhead);
    return Math.min(mostTasks, Math.max(leastTasks, 2 * this.#slots, Math.min(forRate, mostAhead)));
  }

  /** Bytes of commands; one task is always let in. */
  readonly bytes = 16 * 1024 * 1024;
}

const measureMs = 100;
const secondsAhead = 1;
const leastTasks = 32;
const mostTasks = 20_000;
/** Beyond the slots: more than a driver that is at work has to be ahead, and what it holds for long costs it most. */
const mostAhead = 8_000;
