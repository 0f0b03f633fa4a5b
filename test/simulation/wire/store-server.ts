import type { KvsStore } from "@taskmuster/kvs";
import { MemoryServer, MemoryStore, type SavedRuns } from "@taskmuster/kvs/memory";
import type { RunId } from "@taskmuster/kvs/protocol";
import type { Clockwork } from "../time/clockwork.js";
import { Route } from "./route.js";
import type { Random } from "../../fuzz/random.js";

/** Verbs that are one request and one answer, by name. */
export type Verb = Exclude<keyof KvsStore, "waitForBell" | "disconnect">;

/** One request as the server did it. What it answered is there when the step is over. */
export interface Operation {
  readonly run: RunId;
  /** Of the server, when the client connected. */
  readonly life: number;
  readonly verb: Verb | "waitForBell";
  readonly args: readonly unknown[];
  answer: unknown;
  /** Its message, when it was refused. */
  error: string | null;
}

/** One request, where it is about to be done. */
export interface Asked {
  readonly memory: MemoryServer;
  readonly run: RunId;
  readonly store: MemoryStore;
  readonly verb: Verb;
  readonly args: readonly unknown[];
}

/** Between a request and the store: what it answers, or throws. Planted bugs are put here. */
export type Desk = (asked: Asked) => Promise<unknown>;

export const honestDesk: Desk = ({ store, verb, args }) => {
  const method = Reflect.get(store, verb) as (...all: readonly unknown[]) => Promise<unknown>;
  return Reflect.apply(method, store, args);
};

export interface ServerWatch {
  /** It is about to be done. */
  onOperation(operation: Operation): void;
  onDone(operation: Operation): void;
  /** As it is now, for later. */
  onSaved(saved: SavedRuns): void;
  /** It was killed, and what comes next is asked of another one, which knows nothing; or what `from` says. */
  onReplaced(from: SavedRuns | null): void;
}

/** The process in which the store lives. It can be slow to answer, and tells of all that it does. */
export class StoreServer {
  readonly memory = new MemoryServer();
  /** Cut: it is stopped, and what comes waits. */
  readonly door: Route;
  /** Whoever has connections to it. */
  readonly clients = new Set<{ onServerGone(): void }>();
  readonly #clockwork: Clockwork;
  readonly #desk: Desk;
  readonly #watch: ServerWatch;
  readonly #lives = new WeakMap<MemoryStore, number>();

  constructor(clockwork: Clockwork, random: Random, desk: Desk, watch: ServerWatch) {
    this.#clockwork = clockwork;
    this.door = new Route(clockwork, random, 0);
    this.#desk = desk;
    this.#watch = watch;
  }

  get life(): number {
    return this.memory.life;
  }

  client(run: RunId): MemoryStore {
    const store = new MemoryStore(this.memory, run, (callback, ms) => {
      const timeout = this.#clockwork.after(ms, null, callback);
      return () => {
        timeout.cancelled = true;
      };
    });
    this.#lives.set(store, this.life);
    return store;
  }

  /** To come back to. */
  save(): SavedRuns {
    const saved = this.memory.snapshot();
    this.#watch.onSaved(saved);
    return saved;
  }

  /** It dies, and another one is there so much later, which knows nothing; or what `from` says. */
  replace(downMs: number, from: SavedRuns | null = null): void {
    this.door.cut(downMs);
    if (from === null) this.memory.forget();
    else this.memory.restore(from);
    this.#watch.onReplaced(from);
    for (const client of this.clients) client.onServerGone();
  }

  /** When its turn has come. */
  whenOpen(then: () => void): void {
    if (this.door.isCut) this.door.whenMended(() => this.whenOpen(then));
    else then();
  }

  async do(run: RunId, store: MemoryStore, verb: Verb, args: readonly unknown[]): Promise<unknown> {
    const operation: Operation = {
      run,
      life: this.#lifeOf(store),
      verb,
      args,
      answer: undefined,
      error: null,
    };
    this.#watch.onOperation(operation);
    try {
      operation.answer = await this.#desk({ memory: this.memory, run, store, verb, args });
    } catch (error) {
      operation.error = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      this.#watch.onDone(operation);
    }
    return operation.answer;
  }

  async ring(run: RunId, store: MemoryStore, whose: string, ms: number): Promise<"rung" | "timeout"> {
    const answer = await store.waitForBell(whose as Parameters<KvsStore["waitForBell"]>[0], ms);
    // One that was not rung changes nothing.
    if (answer === "rung")
      this.#watch.onOperation({
        run,
        life: this.#lifeOf(store),
        verb: "waitForBell",
        args: [whose, 1000],
        answer,
        error: null,
      });
    return answer;
  }

  #lifeOf(store: MemoryStore): number {
    return this.#lives.get(store) ?? this.life;
  }
}
