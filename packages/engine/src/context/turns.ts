/** Lets only so many through at a time. A turn that is not given back is taken back after a while: nobody shall wait for one that hangs. */
export class Turns {
  readonly #atMostMs: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(atATime: number, atMostMs: number) {
    this.#free = atATime;
    this.#atMostMs = atMostMs;
  }

  /** Resolves, when it is the caller's turn, with what gives it back; to do so twice is fine. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let held = true;
    const giveBack = (): void => {
      if (!held) return;
      held = false;
      clearTimeout(timer);
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    };
    const timer = setTimeout(giveBack, this.#atMostMs);
    timer.unref();
    return giveBack;
  }
}
