import type { EngineId } from "../protocol/index.js";
import type { EngineSnapshot, Snapshot } from "../store.js";

interface Mark {
  readonly value: number;
  /** When it was first seen, by the watcher's own clock. */
  since: number;
}

export interface WatchOptions {
  /** An engine whose renewal counter has not changed for so long is dead. */
  readonly leaseMs: number;
  /** So has a driver whose beat has not. */
  readonly driverPatienceMs: number;
  /** Longer without a look means that the watcher itself was stopped: no one's fault. */
  readonly longestGapMs: number;
}

/** Who of a run is alive, judged by counters that change; no two machines' clocks are compared. Times in milliseconds. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #renewals = new Map<EngineId, Mark>();
  #beat: Mark | undefined;
  #lastLook: number | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** `provenDead`: known to be dead without waiting for its lease. */
  look(
    now: number,
    snapshot: Snapshot,
    provenDead: (engine: EngineSnapshot) => boolean,
  ): { readonly driver: boolean; readonly engines: number } {
    this.#forgiveGap(now);
    if (this.#beat?.value !== snapshot.driverBeat) this.#beat = { value: snapshot.driverBeat, since: now };
    let engines = 0;
    for (const engine of snapshot.engines) {
      if (engine.state !== "member") continue;
      let mark = this.#renewals.get(engine.engine);
      if (mark?.value !== engine.renewal) {
        mark = { value: engine.renewal, since: now };
        this.#renewals.set(engine.engine, mark);
      }
      if (now - mark.since < this.#options.leaseMs && !provenDead(engine)) engines++;
    }
    return { driver: now - this.#beat.since < this.#options.driverPatienceMs, engines };
  }

  #forgiveGap(now: number): void {
    const gap = now - (this.#lastLook ?? now);
    this.#lastLook = now;
    if (gap <= this.#options.longestGapMs) return;
    for (const mark of this.#renewals.values()) mark.since += gap;
    if (this.#beat !== undefined) this.#beat.since += gap;
  }
}
