import { setTimeout as delay } from "node:timers/promises";
import { KvsLostError, type KvsStore } from "@taskmuster/kvs";
import type { EnrolAnswer, EnrolRequest } from "@taskmuster/kvs/protocol";

/** Connects to whatever life of the server there is. `onLost` is called when that life is over. */
export type ConnectContext = (
  onLost: () => void,
  wait: { readonly signal: AbortSignal } | "first",
) => Promise<KvsStore>;

export interface Enrolled {
  /** As which it enrols with a store that has forgotten it. */
  readonly request: () => EnrolRequest;
  /** The store knows this context again. */
  readonly onBack: () => void;
  readonly onError: (error: unknown) => void;
}

/** A context's way to the run's store, through all lives of that: it enrols again when that has forgotten. */
export class ContextLink implements Pick<KvsStore, "enrol" | "ask"> {
  readonly #connect: ConnectContext;
  readonly #closing = new AbortController();
  #store: KvsStore;
  #lost: KvsStore | null = null;
  #enrolled: Enrolled | null = null;
  #lives = Promise.resolve();

  private constructor(connect: ConnectContext, store: KvsStore) {
    this.#connect = connect;
    this.#store = store;
  }

  /** Rejects as `connect`. */
  static async start(connect: ConnectContext): Promise<ContextLink> {
    let link: ContextLink | null = null;
    const store = await connect(() => link?.onLost(store), "first");
    link = new ContextLink(connect, store);
    return link;
  }

  /** From now on it enrols by itself with a store that has forgotten. */
  keep(enrolled: Enrolled): void {
    this.#enrolled = enrolled;
    if (this.#lost === this.#store) this.onLost(this.#store);
  }

  /** This life is over. One that was over already is no news. */
  onLost(store: KvsStore): void {
    this.#lost = store;
    const enrolled = this.#enrolled;
    if (enrolled === null) return;
    this.#lives = this.#lives
      .then(() => (store === this.#store ? this.#comeBack(enrolled) : undefined))
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) enrolled.onError(error);
      });
  }

  enrol(request: EnrolRequest): Promise<EnrolAnswer> {
    return this.#store.enrol(request);
  }

  ask(request: Uint8Array): Promise<boolean> {
    return this.#store.ask(request);
  }

  async disconnect(): Promise<void> {
    this.#closing.abort();
    await this.#store.disconnect();
  }

  async #comeBack({ request, onBack }: Enrolled): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#store.disconnect();
      const store = await this.#connect(() => this.onLost(store), { signal });
      this.#store = store;
      try {
        if (signal.aborted) return await store.disconnect();
        if (await this.#enrolAgain(store, request)) return onBack();
      } catch (error) {
        if (!(error instanceof KvsLostError)) throw error;
      }
    }
  }

  /** Waits for the driver, which opens the run again. False: this context ends before. */
  async #enrolAgain(store: KvsStore, request: Enrolled["request"]): Promise<boolean> {
    while (!this.#closing.signal.aborted) {
      if ((await store.enrol(request())).kind !== "noRun") return true;
      await delay(lookMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
    return false;
  }
}

const lookMs = 500;
