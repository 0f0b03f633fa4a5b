/** Longer than the fence and the driver's own patience: by then all that ran here is dead, and has been offered to others. */
const leases = 2;
const spareMs = 30_000;
/** Who has no starter any more has nobody either who would end it, or start another in its place. */
const orphanMs = 5_000;
/** Time that we do not see pass (we were stopped, the machine slept) says nothing about the store. */
const longestStepMs = 5_000;

/** Decides when an engine has been without an answer for so long that it has no business here any more. */
export class StoreWatch {
  readonly #leaseMs: number;
  #spareMs = spareMs;
  #silentMs = 0;
  #lookedAt: number;

  constructor(leaseMs: number, nowMs: number, starterGone: Promise<void>) {
    this.#leaseMs = leaseMs;
    this.#lookedAt = nowMs;
    void starterGone.then(() => {
      this.#spareMs = orphanMs;
    });
  }

  onAnswer(): void {
    this.#silentMs = 0;
  }

  /** To be called every few seconds. */
  givesUp(nowMs: number): boolean {
    this.#silentMs += Math.min(longestStepMs, nowMs - this.#lookedAt);
    this.#lookedAt = nowMs;
    return this.#silentMs > leases * this.#leaseMs + this.#spareMs;
  }

  get silentSeconds(): number {
    return Math.round(this.#silentMs / 1000);
  }
}
