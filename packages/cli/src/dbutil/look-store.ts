import { setTimeout as delay } from "node:timers/promises";
import { KvsError, KvsLostError, type KvsStore } from "@taskmuster/kvs";
import type { EngineId, QueuedTask, Snapshot } from "@taskmuster/kvs/protocol";

/** What people need of a run's store to look at it and to steer it. */
export type RunLookStore = Pick<KvsStore, "snapshot" | "ask" | "claimsOf" | "disconnect">;

/**
 * A run's store for those who look: when the server has forgotten the run, they see it again as soon as its driver has opened it there, and are told so
 * meanwhile.
 */
export class LookStore implements RunLookStore {
  readonly #connect: () => Promise<KvsStore>;
  readonly #isOver: () => boolean;
  #store: KvsStore;
  #closed = false;

  /** `isOver`: the run's address was taken away, as its driver does in the end. */
  constructor(store: KvsStore, connect: () => Promise<KvsStore>, isOver: () => boolean) {
    this.#store = store;
    this.#connect = connect;
    this.#isOver = isOver;
  }

  async snapshot(): Promise<Snapshot> {
    for (const until = performance.now() + patienceMs; ; await delay(lookMs)) {
      const snapshot = await this.#on((store) => store.snapshot());
      if (snapshot.open || this.#isOver()) return snapshot;
      if (performance.now() > until) throw isForgotten();
    }
  }

  async ask(request: Uint8Array): Promise<boolean> {
    const isTaken = await this.#on((store) => store.ask(request));
    if (!isTaken && !this.#isOver()) throw isForgotten();
    return isTaken;
  }

  claimsOf(engine: EngineId, max: number): Promise<readonly QueuedTask[]> {
    return this.#on((store) => store.claimsOf(engine, max));
  }

  async disconnect(): Promise<void> {
    this.#closed = true;
    await this.#store.disconnect();
  }

  /** Asks the next life of the server when this one is over. */
  async #on<Answer>(verb: (store: KvsStore) => Promise<Answer>): Promise<Answer> {
    const store = this.#store;
    try {
      return await verb(store);
    } catch (error) {
      if (!(error instanceof KvsLostError) || error.loss !== "forgotten") throw error;
      if (store === this.#store) {
        await store.disconnect();
        this.#store = await this.#connect();
        if (this.#closed) await this.#store.disconnect();
      }
      return verb(this.#store);
    }
  }
}

function isForgotten(): KvsError {
  return new KvsError(
    "the key-value store was restarted or emptied, and does not have this run; its driver, if it lives, opens it there again: try again in a moment",
  );
}

const patienceMs = 2_000;
const lookMs = 100;
