/** What it needs of the driver's core. */
interface Clocked {
  onClock(now: number): number | null;
}

/** Lets the core know when a task has waited for its retry for long enough. */
export class RetryClock {
  readonly #core: Clocked;
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(core: Clocked, onDue: () => void) {
    this.#core = core;
    this.#onDue = onDue;
  }

  /** To be called when the core has news. */
  look(): void {
    const ms = this.#core.onClock(performance.now());
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = ms === null ? null : setTimeout(this.#onDue, Math.min(Math.ceil(ms), mostMs));
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** What Node's timers can count to. */
const mostMs = 2 ** 31 - 1;
