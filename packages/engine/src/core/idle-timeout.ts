/** Decides when an engine has had nothing to do for too long. */
export class IdleTimeout {
  readonly #timeoutMs: number;
  #launched = -1;
  #since: number;

  constructor(timeoutMs: number, nowMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#since = nowMs;
  }

  /** `launched`: a count that grows with each task, so that none is missed between two looks. `busy`: one runs or waits. */
  look(nowMs: number, launched: number, busy: boolean): "idle" | "working" {
    if (busy || launched !== this.#launched) {
      this.#launched = launched;
      this.#since = nowMs;
    }
    return nowMs - this.#since >= this.#timeoutMs ? "idle" : "working";
  }
}
