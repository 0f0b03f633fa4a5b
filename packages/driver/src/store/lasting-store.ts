import { FencedError, KvsClosedError, KvsLostError, type KvsStore } from "@taskmuster/kvs";
import type {
  Beat,
  ClaimedTask,
  ContextId,
  EngineId,
  EnrolAnswer,
  EnrolRequest,
  FencingToken,
  QueuedTask,
  ReceivedReports,
  ReceivedRequests,
  Scope,
  Snapshot,
  Wanted,
} from "@taskmuster/kvs/protocol";
import { Reunion } from "../core/reunion.js";
import { Spending } from "../core/spending.js";
import { StoreMemory } from "../core/store-memory.js";
import type { DriverStore, StoreListener } from "./driver-store.js";
import { type ReopenOptions, reopen, restoreContexts } from "./reopen.js";

export interface LastingStoreOptions extends Omit<ReopenOptions, "memory"> {
  /** Of engines. */
  readonly leaseMs: number;
  /** It has not answered for a lease; told once for each time. */
  readonly onAway?: (() => void) | undefined;
  /** ms, monotonic; a simulation's, or the real one. */
  readonly now?: () => number;
}

/** One life of the server, as long as it remembers the run. */
interface Life {
  readonly store: KvsStore;
  readonly token: FencingToken;
  /** Positions that were given away in earlier lives: here all count from 0 again. */
  readonly reports: number;
  readonly requests: number;
}

/**
 * A driver's store that outlives its server. When that has forgotten the run, it is opened again, with what is remembered of it, and what was under way
 * goes on there: positions count on, tokens are exchanged for that of now (those that are passed in do not count). What was published and has not ended is
 * settled when all engines that may have it have said so.
 *
 *   open ──(forgotten)──> reopening ──> open, reuniting ──(everybody is back, or lost)──> open
 */
export class LastingStore implements DriverStore {
  readonly #options: LastingStoreOptions;
  readonly #memory = new StoreMemory();
  readonly #spending = new Spending();
  readonly #reunion: Reunion;
  readonly #now: () => number;
  readonly #closing = new AbortController();
  #listener: StoreListener | null = null;
  #life: Life;
  #next: Promise<Life> | null = null;
  /** The highest positions that were given away. */
  #reportsSeen = 0;
  #requestsSeen = 0;
  #lookTimer: NodeJS.Timeout | undefined;

  /** `store` is one on which the run was opened, under `token`. */
  constructor(store: KvsStore, token: FencingToken, options: LastingStoreOptions) {
    this.#options = options;
    this.#life = { store, token, reports: 0, requests: 0 };
    this.#reunion = new Reunion(options.leaseMs);
    this.#now = options.now ?? (() => performance.now());
  }

  listen(listener: StoreListener): void {
    this.#listener = listener;
    if (this.#next !== null || this.#reunion.pending)
      listener.onForgotten("it forgot the run before that began");
  }

  /** What was there when the run was taken over. */
  remember(snapshot: Snapshot): void {
    this.#memory.onSnapshot(snapshot);
    this.#spending.onSnapshot(snapshot);
    this.#spending.onTakenOver(snapshot);
  }

  get reuniting(): boolean {
    return this.#reunion.pending;
  }

  /** Of now. */
  get token(): FencingToken {
    return this.#life.token;
  }

  async publish(
    _token: FencingToken,
    number: number,
    tasks: readonly QueuedTask[],
    where?: "back" | "front",
  ): Promise<void> {
    // Forgotten or never there: they are among what has to be settled.
    await this.#once(({ store, token }) => store.publish(token, number, tasks, where), undefined);
  }

  withdraw(_token: FencingToken, task: QueuedTask): Promise<boolean> {
    return this.#once(({ store, token }) => store.withdraw(token, task), false);
  }

  receive(_token: FencingToken, max: number, from = 0): Promise<ReceivedReports> {
    return this.#always(async ({ store, token, reports: before }) => {
      const received = await store.receive(token, max, Math.max(from - before, 0));
      this.#reportsSeen = Math.max(this.#reportsSeen, before + received.from + received.reports.length);
      return { from: before + received.from, reports: received.reports };
    });
  }

  async acknowledge(_token: FencingToken, upTo: number): Promise<void> {
    // Those of an earlier life are handed in again.
    await this.#once(async ({ store, token, reports: before }) => {
      if (upTo > before) await store.acknowledge(token, upTo - before);
    }, undefined);
  }

  order(_token: FencingToken, scope: Scope, wanted: Wanted): Promise<void> {
    this.#memory.onOrder(scope, wanted);
    return this.#always(({ store, token }) => store.order(token, scope, wanted));
  }

  expel(_token: FencingToken, engine: EngineId, why: string): Promise<readonly ClaimedTask[]> {
    return this.#always(async ({ store, token }) => {
      const claims = await store.expel(token, engine, why);
      this.#onExpelled(engine, claims);
      return claims;
    });
  }

  expire(
    _token: FencingToken,
    engine: EngineId,
    why: string,
    renewal: number,
  ): Promise<readonly ClaimedTask[] | null> {
    return this.#always(async ({ store, token }) => {
      const claims = await store.expire(token, engine, why, renewal);
      if (claims !== null) this.#onExpelled(engine, claims);
      return claims;
    });
  }

  #onExpelled(engine: EngineId, claims: readonly ClaimedTask[]): void {
    const unreported = Math.max(claims.length, this.#memory.claims.get(engine) ?? 0);
    this.#spending.onExpelled(engine, unreported);
    this.#memory.onExpelled(engine);
  }

  async beat(_token: FencingToken, { state, handled }: Beat): Promise<ReceivedRequests> {
    const sentAt = performance.now();
    let silent = false;
    const timer = setTimeout(() => {
      silent = true;
      this.#listener?.onSilent();
    }, silenceMs);
    const { onAway, leaseMs } = this.#options;
    const away = onAway === undefined ? undefined : setTimeout(onAway, Math.max(leaseMs, 2 * silenceMs));
    try {
      return await this.#always(async ({ store, token, requests: before }) => {
        const received = await store.beat(token, { state, handled: Math.max(handled - before, 0) });
        const from = before + received.from;
        this.#requestsSeen = Math.max(this.#requestsSeen, from + received.requests.length);
        if (silent) this.#listener?.onAnswer(performance.now() - sentAt);
        return { from, requests: received.requests };
      });
    } finally {
      clearTimeout(timer);
      clearTimeout(away);
    }
  }

  post(_token: FencingToken, key: string, value: string): Promise<void> {
    this.#memory.onPost(key, value);
    return this.#always(({ store, token }) => store.post(token, key, value));
  }

  async close(): Promise<void> {
    await this.#life.store.close(this.#life.token).catch((error: unknown) => {
      if (!(error instanceof KvsLostError)) throw error;
    });
  }

  enrol(request: EnrolRequest): Promise<EnrolAnswer> {
    return this.#always(async ({ store }) => {
      const answer = await store.enrol(request);
      if (answer.kind === "enrolled") this.#memory.onEnrolled(request, answer.context);
      return answer;
    });
  }

  snapshot(): Promise<Snapshot> {
    return this.#always(async (life) => {
      const snapshot = await life.store.snapshot();
      if (!snapshot.open) throw runIsGone();
      this.#checkCurrent(life);
      this.#memory.onSnapshot(snapshot);
      this.#spending.onSnapshot(snapshot);
      await this.#greet(life, snapshot);
      if (this.#reunion.isDue(snapshot.engines, this.#now())) await this.#settle(life);
      else if (!this.#reunion.pending) await this.#grant(life, this.#spending.late(snapshot));
      return snapshot;
    });
  }

  /** Nothing, when that has been forgotten meanwhile. */
  claimsOf(engine: EngineId, max: number): Promise<readonly QueuedTask[]> {
    return this.#once(({ store }) => store.claimsOf(engine, max), []);
  }

  waitForBell(whose: "driver" | EngineId, timeoutMs: number): Promise<"rung" | "timeout"> {
    return this.#once(({ store }) => store.waitForBell(whose, timeoutMs), "rung");
  }

  async disconnect(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#lookTimer);
    await this.#next?.catch(() => undefined);
    await this.#life.store.disconnect();
  }

  /** Engines that it has not seen before, or that have come back. */
  async #greet(life: Life, { engines }: Snapshot): Promise<void> {
    const { store, token } = life;
    const fresh = engines.filter(({ state, awaited, greeted }) => state === "member" && !awaited && !greeted);
    const greetings = await Promise.all(fresh.map(({ engine }) => store.greet(token, engine)));
    this.#checkCurrent(life);
    for (const [index, greeting] of greetings.entries()) {
      const engine = fresh[index];
      if (engine === undefined || greeting === null || greeting.announced === null) continue;
      this.#spending.onAnnounced(engine, greeting.claimed);
      this.#listener?.onAnnounced(engine.engine, greeting.announced);
    }
  }

  async #settle(life: Life): Promise<void> {
    await this.#grant(life, this.#spending.onSettled());
    this.#reunion.onSettled();
    this.#listener?.onSettled();
  }

  /** What is left of the limits of these contexts. */
  async #grant(life: Life, which: ReadonlySet<ContextId>): Promise<void> {
    if (which.size === 0) return;
    const reported = (engine: EngineId): number => this.#listener?.tasksReportedBy(engine) ?? 0;
    const contexts = this.#memory.contexts((context, limit) =>
      Math.max(limit - this.#spending.of(context, reported), 0),
    );
    const limited = contexts.filter(({ context, granted }) => granted !== null && which.has(context));
    await restoreContexts(life.store, life.token, limited);
    this.#checkCurrent(life);
  }

  /** What an earlier life knew of engines counts no more: they announce themselves again. */
  #checkCurrent(life: Life): void {
    if (life !== this.#life || this.#next !== null) throw serverHasForgotten();
  }

  /** What makes sense in whatever life of the server. */
  async #always<Answer>(verb: (life: Life) => Promise<Answer>): Promise<Answer> {
    for (;;) {
      const life = await (this.#next ?? this.#life);
      try {
        return await verb(life);
      } catch (error) {
        if (!this.#hasForgotten(life, error)) throw error;
      }
    }
  }

  /** What is over when the server has forgotten: then `otherwise` is the answer, once it holds the run again. */
  async #once<Answer>(verb: (life: Life) => Promise<Answer>, otherwise: Answer): Promise<Answer> {
    const life = await (this.#next ?? this.#life);
    try {
      return await verb(life);
    } catch (error) {
      if (!this.#hasForgotten(life, error)) throw error;
      await (this.#next ?? this.#life);
      return otherwise;
    }
  }

  #hasForgotten(life: Life, error: unknown): boolean {
    if (this.#closing.signal.aborted) return false;
    if (life !== this.#life) return isOfEarlierLife(error);
    // It was given up already, and all that was under way with it.
    if (this.#next !== null) return isOfEarlierLife(error);
    if (!isForgotten(error)) return false;
    this.#reopen(life, error);
    return true;
  }

  #reopen(life: Life, { message }: KvsLostError): void {
    this.#spending.onForgotten();
    const waitMs = this.#reunion.onForgotten(this.#now(), this.#memory.hasSeen);
    this.#listener?.onForgotten(message);
    const next = this.#nextLife(life);
    this.#next = next;
    next.then(
      () => {
        clearTimeout(this.#lookTimer);
        this.#lookTimer = setTimeout(() => this.#listener?.onLookDue(), waitMs + lookLateMs);
        this.#lookTimer.unref();
        this.#listener?.onLookDue();
      },
      () => undefined,
    );
  }

  async #nextLife(life: Life): Promise<Life> {
    await life.store.disconnect();
    const { store, token } = await reopen(
      life.token,
      { ...this.#options, memory: this.#memory },
      this.#closing.signal,
    );
    this.#life = { store, token, reports: this.#reportsSeen, requests: this.#requestsSeen };
    this.#next = null;
    this.#listener?.onReopened(token);
    return this.#life;
  }
}

function isForgotten(error: unknown): error is KvsLostError {
  return error instanceof KvsLostError && (error.loss === "forgotten" || error.loss === "gone");
}

/** What was under way when the connection was given up. */
function isOfEarlierLife(error: unknown): boolean {
  return error instanceof KvsLostError || error instanceof KvsClosedError || error instanceof FencedError;
}

function runIsGone(): KvsLostError {
  return new KvsLostError("the key-value store does not have this run any more", "gone");
}

function serverHasForgotten(): KvsLostError {
  return new KvsLostError("the key-value store has forgotten meanwhile", "forgotten");
}

/** So long without an answer to a beat is worth a word. */
const silenceMs = 3_000;
const lookLateMs = 20;
