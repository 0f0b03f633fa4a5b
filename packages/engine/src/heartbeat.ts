import type { EngineVerbs, RenewAnswer } from "@taskmuster/kvs";
import { type EngineId, type EngineStats, encodeEngineStats } from "@taskmuster/kvs/protocol";

/** A renewal is sent every `leaseMs / renewalsPerLease`, and never less often than this. */
const longestIntervalMs = 5_000;
const renewalsPerLease = 10;

export interface HeartbeatEvents {
  onAnswer(answer: RenewAnswer): void;
  /**
   * The lease is good until `deadlineMs` from now; to be handed to the guardian. It is counted from when the
   * answered renewal was sent, less a margin, so that our tasks are dead before the driver may re-offer them.
   */
  onLease(msFromNow: number): void;
  onError(error: unknown): void;
}

/** Renews an engine's lease until it is stopped. One renewal under way at a time. */
export class Heartbeat {
  readonly #store: EngineVerbs;
  readonly #engine: EngineId;
  readonly #leaseMs: number;
  readonly #stats: () => EngineStats;
  readonly #events: HeartbeatEvents;
  #counter = 0;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(
    store: EngineVerbs,
    engine: EngineId,
    leaseMs: number,
    stats: () => EngineStats,
    events: HeartbeatEvents,
  ) {
    this.#store = store;
    this.#engine = engine;
    this.#leaseMs = leaseMs;
    this.#stats = stats;
    this.#events = events;
  }

  start(): void {
    void this.#beat();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #beat(): Promise<void> {
    const sentAt = performance.now();
    try {
      const answer = await this.#store.renew({
        engine: this.#engine,
        counter: ++this.#counter,
        stats: encodeEngineStats(this.#stats()),
      });
      if (this.#stopped) return;
      this.#events.onLease(sentAt + this.#leaseMs * (1 - leaseMargin) - performance.now());
      this.#events.onAnswer(answer);
    } catch (error) {
      if (!this.#stopped) this.#events.onError(error);
      return;
    }
    const interval = Math.min(longestIntervalMs, this.#leaseMs / renewalsPerLease);
    this.#timer = setTimeout(() => void this.#beat(), interval);
  }
}

const leaseMargin = 0.1;
