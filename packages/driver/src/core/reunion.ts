import { type EngineSnapshot, newcomerLeaseMs } from "@taskmuster/kvs/protocol";

/**
 * After the store has forgotten: whom to wait for before what it held is offered again. Each engine that is known has to announce
 * itself, or to be expelled (dead for certain, or its lease has run out). One that is not known (it had joined after the last look) has
 * but a short lease, so that its tasks are dead when that is over. Times in ms, monotonic.
 */
export class Reunion {
  readonly #leaseMs: number;
  /** Null: nobody is waited for. */
  #until: number | null = null;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  get pending(): boolean {
    return this.#until !== null;
  }

  /** `hasLooked`: this driver has, since it began, at who is there. Answers for how long to wait at least. */
  onForgotten(now: number, hasLooked: boolean): number {
    const waitMs = hasLooked ? Math.min(newcomerLeaseMs, this.#leaseMs) : this.#leaseMs;
    this.#until = Math.max(now + waitMs, this.#until ?? 0);
    return this.#until - now;
  }

  /** Looks who is there; true: nobody needs to be waited for any more. */
  isDue(engines: readonly EngineSnapshot[], now: number): boolean {
    if (this.#until === null) return false;
    return now >= this.#until && !engines.some(({ state, awaited }) => state === "member" && awaited);
  }

  onSettled(): void {
    this.#until = null;
  }
}
