import { KvsLostError, type KvsStore } from "@taskmuster/kvs";
import type { FencingToken } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { LastingStore, type LastingStoreOptions } from "./lasting-store.js";
import type { StoreServer } from "./store-server.js";

/** `info`: what engines get when they join. */
type RunOfStore = Pick<LastingStoreOptions, "info" | "checkOurs" | "leaseMs">;

/** Opens a new run in its store. Throws `KvsError` when that cannot be reached or used. */
export async function openStore(
  server: StoreServer,
  run: RunOfStore,
): Promise<{ readonly store: LastingStore; readonly token: FencingToken }> {
  const { store, token } = await openFirst(server, run.info);
  return { store: lastingStore(server, store, token, run), token };
}

/** Of a run that was opened there, or taken over. */
export function lastingStore(
  { address, runId, onAway }: StoreServer,
  store: KvsStore,
  token: FencingToken,
  run: RunOfStore,
): LastingStore {
  return new LastingStore(store, token, {
    ...run,
    onAway,
    connect: (signal) => connectRedisStore({ address, runId, role: "driver", waitMs: Infinity, signal }),
  });
}

/** Again, should the server be replaced before it was opened. */
async function openFirst(
  { address, runId, startMs }: StoreServer,
  info: Uint8Array,
): Promise<{ readonly store: KvsStore; readonly token: FencingToken }> {
  for (;;) {
    const store = await connectRedisStore({ address, runId, role: "driver", waitMs: startMs });
    try {
      return { store, token: await store.open(info) };
    } catch (error) {
      await store.disconnect();
      if (!(error instanceof KvsLostError)) throw error;
    }
  }
}
