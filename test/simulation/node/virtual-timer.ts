import type { Happening } from "../time/agenda.js";
import type { Clockwork } from "../time/clockwork.js";
import type { SimProcess } from "../time/process.js";

/** What `setTimeout` and `setInterval` answer in a simulated process. */
export class VirtualTimer {
  readonly #clockwork: Clockwork;
  readonly #process: SimProcess;
  readonly #callback: () => void;
  readonly #ms: number;
  readonly #repeats: boolean;
  #next: Happening;

  constructor(clockwork: Clockwork, process: SimProcess, callback: () => void, ms: number, repeats: boolean) {
    this.#clockwork = clockwork;
    this.#process = process;
    this.#callback = callback;
    // As Node does it.
    this.#ms = ms >= 1 && ms < 2 ** 31 ? Math.trunc(ms) : 1;
    this.#repeats = repeats;
    this.#next = this.#start();
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  refresh(): this {
    this.#next.cancelled = true;
    this.#next = this.#start();
    return this;
  }

  close(): void {
    this.#next.cancelled = true;
  }

  #start(): Happening {
    const ms = this.#process.host.span(this.#ms);
    return this.#clockwork.after(ms, this.#process, () => this.#fire(), true);
  }

  #fire(): void {
    if (this.#repeats) this.#next = this.#start();
    this.#callback();
  }
}
