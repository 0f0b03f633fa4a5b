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
  /** What was last said, and when something must be said again. */
  #said = "";
  #dueAt = 0;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  #mostLateMs = 0;

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

  /** The most that a renewal was sent after it was due, ms. */
  get mostLateMs(): number {
    return this.#mostLateMs;
  }

  start(): void {
    void this.#beat();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Says once more how things stand, whatever the answer; for an engine that leaves. Rejects when the store is lost. */
  async last(): Promise<void> {
    await this.#renew();
  }

  async #beat(): Promise<void> {
    const sentAt = performance.now();
    if (this.#dueAt > 0) this.#mostLateMs = Math.max(this.#mostLateMs, sentAt - this.#dueAt);
    try {
      const answer = await this.#renew();
      if (this.#stopped) return;
      this.#events.onLease(sentAt + this.#leaseMs * (1 - leaseMargin) - performance.now());
      this.#events.onAnswer(answer);
    } catch (error) {
      if (!this.#stopped) this.#events.onError(error);
      return;
    }
    this.#dueAt = performance.now() + Math.min(longestIntervalMs, this.#leaseMs / renewalsPerLease);
    this.#wait();
  }

  /** People who watch want to see what has changed sooner than the lease would need it. */
  #wait(): void {
    const left = Math.max(0, this.#dueAt - performance.now());
    this.#timer = setTimeout(
      () => {
        if (left <= newsIntervalMs || this.#said !== said(this.#stats())) void this.#beat();
        else this.#wait();
      },
      Math.min(left, newsIntervalMs),
    );
  }

  #renew(): Promise<RenewAnswer> {
    const stats = this.#stats();
    this.#said = said(stats);
    return this.#store.renew({
      engine: this.#engine,
      counter: ++this.#counter,
      stats: encodeEngineStats(stats),
    });
  }
}

function said({ state, why, busy, done, failed }: EngineStats): string {
  return `${state} ${busy} ${done} ${failed} ${why}`;
}

const leaseMargin = 0.1;
/** A changed state is told after so long at the latest. */
const newsIntervalMs = 2_000;
