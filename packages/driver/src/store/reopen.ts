import { randomBytes } from "node:crypto";
import { KvsClosedError, KvsLostError, type KvsStore } from "@taskmuster/kvs";
import type { FencingToken, RemainingContext } from "@taskmuster/kvs/protocol";
import type { StoreMemory } from "../core/store-memory.js";

export interface ReopenOptions {
  /** What engines get when they join. */
  readonly info: Uint8Array;
  /** Connects to whatever life of the server there is; keeps trying until `signal`. */
  readonly connect: (signal: AbortSignal) => Promise<KvsStore>;
  /** Throws `FencedError` when another driver has taken the run over, as far as the files tell. */
  readonly checkOurs: () => void;
  readonly memory: StoreMemory;
}

/**
 * Opens the run in a server that has forgotten it, and puts back what is remembered: contexts, engines, orders and posts, of limits nothing is granted yet.
 * Again and again, should the server forget once more meanwhile. Throws `FencedError` when another driver has the run.
 */
export async function reopen(
  last: FencingToken,
  options: ReopenOptions,
  signal: AbortSignal,
): Promise<{ readonly store: KvsStore; readonly token: FencingToken }> {
  const nonce = randomBytes(8).toString("hex");
  let above = last;
  for (;;) {
    const store = await options.connect(signal);
    try {
      if (signal.aborted) throw new KvsClosedError();
      // A driver that was stopped for long may be the first to come to an empty store, and not be the newest.
      options.checkOurs();
      const token = await store.open(options.info, { above, nonce, ranks: options.memory.ranks });
      options.checkOurs();
      above = token;
      await putBack(store, token, options.memory);
      return { store, token };
    } catch (error) {
      await store.disconnect();
      if (!(error instanceof KvsLostError)) throw error;
    }
  }
}

async function putBack(store: KvsStore, token: FencingToken, memory: StoreMemory): Promise<void> {
  await restoreContexts(
    store,
    token,
    memory.contexts(() => 0),
  );
  for (const request of memory.enrolments) await store.enrol(request);
  const { engines, orders } = memory;
  const ofEngines = orders.filter(({ scope }) => scope.kind === "engine");
  const ofMany = orders.filter(({ scope }) => scope.kind !== "engine");
  for (const { scope, wanted } of ofMany) await store.order(token, scope, wanted);
  for (let from = 0; from < engines.length; from += most) {
    await store.restore(token, [], engines.slice(from, from + most));
  }
  for (const { scope, wanted } of ofEngines) await store.order(token, scope, wanted);
  for (const { key, value } of memory.posts) await store.post(token, key, value);
}

export async function restoreContexts(
  store: KvsStore,
  token: FencingToken,
  contexts: readonly RemainingContext[],
): Promise<void> {
  for (let from = 0; from < contexts.length; from += most) {
    await store.restore(token, contexts.slice(from, from + most), []);
  }
}

/** In one script. */
const most = 200;
