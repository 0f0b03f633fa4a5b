import { type EngineId, type EngineSnapshot, newcomerLeaseMs } from "@taskmuster/kvs/protocol";

/**
 * After the store has forgotten: whom to wait for before what it held is offered again. Each engine that is known has to announce
 * itself, or to be expelled (dead for certain, or its lease has run out). One that is not known (it had joined after the last look) has
 * but a short lease, so that its tasks are dead when that is over. Times in ms, monotonic.
 */
export class Reunion {
  readonly #leaseMs: number;
  /** Null: nobody is waited for. */
  #until: number | null = null;
  #awaited: ReadonlySet<EngineId> = new Set();
  #certain = true;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  get pending(): boolean {
    return this.#until !== null;
  }

  /** Of those whose announcement was waited for none was lost: what nobody has announced nobody runs, and nobody has run. */
  get certain(): boolean {
    return this.#certain;
  }

  /** `known`: the members of the last look; null: nobody has looked since this driver began. Answers for how long to wait at least. */
  onForgotten(now: number, known: readonly EngineId[] | null): number {
    const waitMs = known !== null ? Math.min(newcomerLeaseMs, this.#leaseMs) : this.#leaseMs;
    // Those who were waited for already, before the store has forgotten once more, may have been lost.
    if (this.#until === null) this.#certain = true;
    this.#until = Math.max(now + waitMs, this.#until ?? 0);
    this.#awaited = new Set(known);
    return this.#until - now;
  }

  onExpelled(engine: EngineId): void {
    if (this.#until !== null && this.#awaited.has(engine)) this.#certain = false;
  }

  /** Looks who is there; true: nobody needs to be waited for any more. */
  isDue(engines: readonly EngineSnapshot[], now: number): boolean {
    if (this.#until === null) return false;
    const awaited = engines.filter((engine) => engine.state === "member" && engine.awaited);
    this.#awaited = new Set(awaited.map(({ engine }) => engine));
    return awaited.length === 0 && now >= this.#until;
  }

  onSettled(): void {
    this.#until = null;
  }
}
