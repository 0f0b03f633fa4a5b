import { KvsLostError, type KvsStore } from "@taskmuster/kvs";
import type { FencingToken, RunId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import type { KvsAddress } from "@taskmuster/kvs/server";
import { LastingStore } from "./lasting-store.js";
import { ownFile } from "./own-file.js";

export interface OpenStoreOptions {
  readonly address: KvsAddress;
  readonly runId: RunId;
  /** What engines get when they join. */
  readonly info: Uint8Array;
  /** For so long the server may be about to start; 0: one that is somebody else's must be there. */
  readonly startMs: number;
  /** This driver's own, as long as no other has put one in its place. */
  readonly statusFile: string;
  readonly leaseMs: number;
}

/** Opens a new run in its store. Throws `KvsError` when that cannot be reached or used. */
export async function openStore(
  options: OpenStoreOptions,
): Promise<{ readonly store: LastingStore; readonly token: FencingToken }> {
  const { address, runId, info, startMs, statusFile, leaseMs } = options;
  const place = { address, runId, role: "driver" } as const;
  const { store, token } = await openFirst(() => connectRedisStore({ ...place, waitMs: startMs }), info);
  const lasting = new LastingStore(store, token, {
    info,
    connect: (signal) => connectRedisStore({ ...place, waitMs: Infinity, signal }),
    checkOurs: ownFile(statusFile),
    leaseMs,
  });
  return { store: lasting, token };
}

/** Again, should the server be replaced before it was opened. */
async function openFirst(
  connect: () => Promise<KvsStore>,
  info: Uint8Array,
): Promise<{ readonly store: KvsStore; readonly token: FencingToken }> {
  for (;;) {
    const store = await connect();
    try {
      return { store, token: await store.open(info) };
    } catch (error) {
      await store.disconnect();
      if (!(error instanceof KvsLostError)) throw error;
    }
  }
}
