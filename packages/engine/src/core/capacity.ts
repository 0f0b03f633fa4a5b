/**
 * How many tasks at a time a node has room for. Where it refuses to start one, as it is out of processes, descriptors or memory, half of
 * what runs is enough from now on; when nothing has been refused for a while, some more is tried. The while doubles each time
 * that this was too early.
 *
 *   open ──(refused)──> tight ──(quiet, again and again: some more each time)──> open
 *                        │  ^
 *   (refused, and nothing   │ (what was tried runs, or nobody had anything to try)
 *     of ours runs)      v  │
 *                       shut: nothing is started, but for one try in each while
 */
export class Capacity {
  readonly #slots: number;
  readonly #step: number;
  #limit: number;
  #shut = false;
  #out = "";
  /** Seconds: without a refusal, and how many of these it takes to try more. */
  #quiet = 0;
  #patience = firstPatience;
  /** Nothing has been refused since more was tried. */
  #trying = false;

  constructor(slots: number) {
    this.#slots = slots;
    this.#step = Math.ceil(slots / stepsToAll);
    this.#limit = slots;
  }

  /** So many tasks may be with the launcher at a time. */
  get limit(): number {
    return this.#limit;
  }

  get isTight(): boolean {
    return this.#out !== "";
  }

  /** The same as others shall know it: 0 also while one is tried. */
  get usable(): number {
    return this.#shut ? 0 : this.#limit;
  }

  /** What the node is out of; empty while it is not. */
  get out(): string {
    return this.#out;
  }

  /** A task could not be started while so many others ran. */
  refused(running: number, out: string): void {
    if (this.#trying) this.#patience = Math.min(longestPatience, 2 * this.#patience);
    this.#trying = false;
    this.#quiet = 0;
    this.#out = out;
    this.#shut = running === 0;
    this.#limit = running === 0 ? 0 : Math.min(this.#limit, Math.max(1, Math.floor(running / 2)));
  }

  /** To be called once a second. True: there is more room than before. */
  onSecond(): boolean {
    if (!this.isTight || ++this.#quiet < this.#patience) return false;
    this.#quiet = 0;
    // A try that was refused would have been told by now.
    if (this.#limit > 0) this.#shut = false;
    this.#limit = Math.min(this.#slots, this.#limit === 0 ? 1 : this.#limit + this.#step);
    this.#trying = true;
    if (this.#limit === this.#slots && !this.#shut) [this.#out, this.#patience] = ["", firstPatience];
    return true;
  }
}

const firstPatience = 5;
const longestPatience = 40;
const stepsToAll = 8;
