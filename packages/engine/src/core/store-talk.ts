import type {
  AnnounceAnswer,
  EngineId,
  ExchangeAnswer,
  ExchangeRequest,
  NeedsKey,
  QueuedTask,
  TaskId,
} from "@taskmuster/kvs/protocol";
import { type AnnouncePart, announcementOf, endedTasks } from "./announcement.js";
import { ReportOutbox } from "./report-outbox.js";

export interface StoreTalkSettings {
  readonly engine: EngineId;
  /** Bounds on one exchange. */
  readonly maxReports: number;
  readonly maxBytes: number;
}

export interface Situation {
  /** Null: claims nothing. `room`: for tasks that wait here, beside `free`. */
  readonly slots: { readonly free: number; readonly room: number } | null;
  /** Nothing but the bell is worth a trip now. */
  readonly canWait: boolean;
}

/**
 * What an engine and the store have to say to each other: decides when the next exchange is worth a trip, and what it carries. One at a
 * time.
 */
export class StoreTalk {
  readonly #settings: StoreTalkSettings;
  readonly #reports = new ReportOutbox();
  readonly #releases: QueuedTask[] = [];
  #needs: readonly NeedsKey[];
  #nextSeq = 1;
  /** An exchange, or an announcement. */
  #underWay = false;
  /** Tasks that the exchange under way gives back. */
  #givingBack = 0;
  /** Claims that were made, less those that were given back. */
  #claimed = 0;
  /** The queues may hold something: nobody has looked since the bell rang, or the last claim got all it wanted. */
  #mayClaim = true;
  /**
   * The acknowledgements that a leaving engine waits for may be in: the bell has rung, or nothing has told the store
   * yet that it waits for them.
   */
  #askAcknowledged = false;
  /** The bell rang and nobody has looked why: tasks, an order, or acknowledgements. */
  #rung = false;

  constructor(settings: StoreTalkSettings, needs: readonly NeedsKey[]) {
    this.#settings = settings;
    this.#needs = needs;
  }

  /** An exchange, or an announcement. */
  get underWay(): boolean {
    return this.#underWay;
  }

  /** Reports that have not been handed in. */
  get reportsWaiting(): number {
    return this.#reports.waiting;
  }

  /** Reports that have been handed in and are not acknowledged. */
  get reportsAwaited(): number {
    return this.#reports.awaited;
  }

  /** Nothing is under way, to be handed in, or to be acknowledged. */
  get isOver(): boolean {
    return !this.#underWay && this.#reports.isEmpty && this.#releases.length === 0;
  }

  /** `ends`: the claim that this ends; null for a PERENGINE command. */
  report(ends: TaskId | null, body: Uint8Array): void {
    this.#reports.add(ends, body);
  }

  /** Gives back what was not started. */
  release(tasks: readonly QueuedTask[]): void {
    this.#releases.push(...tasks);
  }

  onBell(): void {
    this.#mayClaim = true;
    this.#rung = true;
  }

  /** There are free slots where there were none: nobody has looked what they could do. */
  onRoom(): void {
    this.#mayClaim = true;
  }

  onAcknowledged(upTo: number): void {
    this.#reports.acknowledge(upTo);
  }

  onExchanged(answer: ExchangeAnswer): void {
    this.#underWay = false;
    this.#claimed += answer.tasks.length - this.#givingBack;
    // Of needs that it did not know this exchange could not claim anything, and nobody rings for them again.
    if (answer.tasks.length > 0 || answer.needs.length > this.#needs.length) this.#mayClaim = true;
    this.#needs = answer.needs;
    this.#reports.acknowledge(answer.acknowledged);
  }

  /**
   * The store has forgotten. What was to be given back, or was in an exchange that has no answer, may be another's by now: it is not
   * announced, and so not ours. Nothing is exchanged before `onAnnounced`.
   */
  announce(held: readonly QueuedTask[]): readonly AnnouncePart[] {
    const givenUp = this.#releases.splice(0).length + (this.#underWay ? this.#givingBack : 0);
    this.#claimed -= givenUp;
    this.#givingBack = 0;
    this.#underWay = true;
    this.#reports.handInAgain();
    return announcementOf(
      [...held, ...endedTasks(this.#reports)],
      { acknowledged: this.#reports.acknowledged, claimed: this.#claimed },
      this.#settings,
      () => this.#nextSeq++,
    );
  }

  onAnnounced({ acknowledged, needs }: Extract<AnnounceAnswer, { kind: "announced" }>): void {
    this.#underWay = false;
    this.#mayClaim = true;
    this.#askAcknowledged = true;
    this.#needs = needs;
    this.#reports.acknowledge(acknowledged);
  }

  /** From now on it waits for acknowledgements. */
  onLeaving(): void {
    this.#askAcknowledged = true;
  }

  /** The next exchange; null: none is worth a trip, or one is under way. */
  next({ slots, canWait }: Situation): ExchangeRequest | null {
    if (this.#underWay || (canWait && !this.#rung)) return null;
    const { engine, maxReports, maxBytes } = this.#settings;
    const room = slots === null ? 0 : slots.room;
    const claims = room > 0 && this.#mayClaim;
    const asks = this.#rung || (this.#askAcknowledged && slots === null && this.#reports.awaited > 0);
    if (!claims && this.#reports.waiting === 0 && this.#releases.length === 0 && !asks) return null;
    this.#underWay = true;
    this.#askAcknowledged = false;
    this.#rung = false;
    // Until the bell rings again there is no point in asking, unless this exchange finds all it wants.
    this.#mayClaim = false;
    const releases = this.#releases.splice(0, maxReports);
    this.#givingBack = releases.length;
    return {
      engine,
      seq: this.#nextSeq++,
      reports: this.#reports.take(maxReports),
      releases,
      wants: room > 0 ? this.#needs.map((needs) => ({ needs, max: room })) : [],
      maxBytes,
      idleSlots: slots === null ? 0 : slots.free,
      awaitsAcknowledgement: slots === null,
    };
  }
}
