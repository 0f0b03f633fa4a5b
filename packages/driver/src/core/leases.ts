import type { EngineId, EngineSnapshot } from "@taskmuster/kvs/protocol";

/**
 * Tells which engines are lost: those whose renewal counter has not changed for a lease, by the driver's own monotonic
 * clock. No two machines' clocks are compared. After a pause of the driver itself (it was stopped, or starved) everybody gets the
 * pause back: what an engine did meanwhile could not be seen.
 */
export class Leases {
  readonly #leaseMs: number;
  readonly #seen = new Map<EngineId, { renewal: number; changedAt: number }>();
  #lastLook: number | null = null;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** `now` in ms, monotonic; `everyMs`: how often this is meant to be called. */
  look(engines: readonly EngineSnapshot[], now: number, everyMs: number): readonly EngineSnapshot[] {
    const pause = this.#lastLook === null ? 0 : Math.max(0, now - this.#lastLook - 2 * everyMs);
    this.#lastLook = now;
    const lost: EngineSnapshot[] = [];
    for (const engine of engines) {
      if (engine.state !== "member") {
        this.#seen.delete(engine.engine);
        continue;
      }
      const seen = this.#seen.get(engine.engine);
      if (seen === undefined || seen.renewal !== engine.renewal) {
        this.#seen.set(engine.engine, { renewal: engine.renewal, changedAt: now });
        continue;
      }
      seen.changedAt += pause;
      if (now - seen.changedAt > this.#leaseMs) lost.push(engine);
    }
    return lost;
  }
}
