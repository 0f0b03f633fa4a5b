import type { Clockwork } from "../time/clockwork.js";
import type { Random } from "../../fuzz/random.js";

/** A way between two places that can be slow, or cut. What is under way when it is cut arrives when it is mended. */
export class Route {
  readonly #clockwork: Clockwork;
  readonly #random: Random;
  readonly #usualMs: number;
  #cuts = 0;
  #waiting: (() => void)[] = [];

  constructor(clockwork: Clockwork, random: Random, usualMs: number) {
    this.#clockwork = clockwork;
    this.#random = random;
    this.#usualMs = usualMs;
  }

  get isCut(): boolean {
    return this.#cuts > 0;
  }

  /** How long the next message takes. */
  latency(): number {
    const spread = this.#random.int(1000) / 1000;
    const slow = this.#random.oneIn(50) ? 20 : 1;
    return this.#usualMs * (0.5 + spread) * slow;
  }

  cut(ms: number): void {
    this.#cuts++;
    this.#clockwork.after(ms, null, () => this.#mend());
  }

  whenMended(then: () => void): void {
    this.#waiting.push(then);
  }

  #mend(): void {
    if (--this.#cuts > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    // Who tries again does so at odd moments.
    for (const then of waiting) this.#clockwork.after(this.latency(), null, then);
  }
}
