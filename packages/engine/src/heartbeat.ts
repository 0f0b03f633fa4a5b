import type { RenewAnswer, RenewRequest } from "@taskmuster/kvs/protocol";
import {
  type EngineId,
  type EngineStats,
  encodeEngineStats,
  newcomerLeaseMs,
} from "@taskmuster/kvs/protocol";

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
}

/** One renewal. Resolves when `then` has had the answer, or there will be none. */
export type Renew = (request: RenewRequest, then: (answer: RenewAnswer) => void) => Promise<void>;

/** Renews an engine's lease until it is stopped. One renewal under way at a time. */
export class Heartbeat {
  readonly #send: Renew;
  readonly #engine: EngineId;
  readonly #leaseMs: number;
  readonly #stats: () => EngineStats;
  readonly #events: HeartbeatEvents;
  #counter = 0;
  /** What was last said, and when something must be said again. */
  #said = "";
  #dueAt = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Grows with each start and stop: what was under way before is over. */
  #life = 0;
  #greeted = false;
  #mostLateMs = 0;

  constructor(
    send: Renew,
    engine: EngineId,
    leaseMs: number,
    stats: () => EngineStats,
    events: HeartbeatEvents,
  ) {
    this.#send = send;
    this.#engine = engine;
    this.#leaseMs = leaseMs;
    this.#stats = stats;
    this.#events = events;
  }

  /** The most that a renewal was sent after it was due, ms. */
  get mostLateMs(): number {
    return this.#mostLateMs;
  }

  /** May be called again after `stop`. */
  start(): void {
    void this.#beat(++this.#life);
  }

  stop(): void {
    this.#life++;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** What is said with a renewal: how things stand now. */
  next(): RenewRequest {
    const stats = this.#stats();
    this.#said = said(stats);
    return { engine: this.#engine, counter: ++this.#counter, stats: encodeEngineStats(stats) };
  }

  async #beat(life: number): Promise<void> {
    const sentAt = performance.now();
    if (this.#dueAt > 0) this.#mostLateMs = Math.max(this.#mostLateMs, sentAt - this.#dueAt);
    await this.#send(this.next(), (answer) => {
      if (life !== this.#life) return;
      this.#greeted = answer.greeted;
      this.#events.onLease(sentAt + this.#currentLeaseMs * (1 - leaseMargin) - performance.now());
      this.#events.onAnswer(answer);
    });
    if (life !== this.#life) return;
    this.#dueAt = performance.now() + Math.min(longestIntervalMs, this.#currentLeaseMs / renewalsPerLease);
    this.#wait(life);
  }

  /** A driver that does not know of us does not wait for us after its store has forgotten. */
  get #currentLeaseMs(): number {
    return this.#greeted ? this.#leaseMs : Math.min(this.#leaseMs, newcomerLeaseMs);
  }

  /** People who watch want to see what has changed sooner than the lease would need it. */
  #wait(life: number): void {
    const left = Math.max(0, this.#dueAt - performance.now());
    this.#timer = setTimeout(
      () => {
        if (left <= newsIntervalMs || this.#said !== said(this.#stats())) void this.#beat(life);
        else this.#wait(life);
      },
      Math.min(left, newsIntervalMs),
    );
  }
}

function said({ state, why, outOf, usable, busy, done, failed }: EngineStats): string {
  return `${state} ${busy} ${done} ${failed} ${usable} ${outOf} ${why}`;
}

const leaseMargin = 0.1;
/** A changed state is told after so long at the latest. */
const newsIntervalMs = 2_000;
