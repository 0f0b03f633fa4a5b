import type { KvsAddress } from "../address.js";
import { KvsClosedError } from "../errors.js";
import { bellKey, metaKey } from "../keys.js";
import type { RunId } from "../protocol/index.js";
import type { KvsStore } from "../store.js";
import { type Call, replyError } from "./call.js";
import { Connection, type ConnectionEvent } from "./connection.js";
import { contextVerbs } from "./context-verbs.js";
import { Doorbell } from "./doorbell.js";
import { driverVerbs } from "./driver-verbs.js";
import { parseTaskElement } from "./element.js";
import { engineVerbs } from "./engine-verbs.js";
import { asArray, asBuffer } from "./reply.js";
import { scripts } from "./scripts.js";
import { type Role, runScript } from "./session.js";
import { parseSnapshot } from "./snapshot.js";

export interface RedisStoreOptions {
  readonly address: KvsAddress;
  readonly runId: RunId;
  /** Shows in the server's list of clients. */
  readonly role: Role;
  /** Milliseconds to keep trying while the server is being started; 0 (default) fails at once, Infinity never gives up. */
  readonly waitMs?: number;
  /** Gives up then, with `KvsClosedError`. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: ConnectionEvent) => void;
}

/**
 * A store on a Redis or Valkey server. Throws `KvsError` when it cannot be reached or used. Later breaks are mended
 * silently (see `onEvent`), until the server turns out to be another one: then every verb throws `KvsLostError`, and the
 * only way on is a new store.
 */
export async function connectRedisStore(options: RedisStoreOptions): Promise<KvsStore> {
  const { address, runId, role, waitMs, signal, onEvent } = options;
  const connection = new Connection({ address, role, waitMs: waitMs ?? 0, onEvent });
  const giveUp = (): void => void connection.close();
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    if (signal?.aborted === true) throw new KvsClosedError();
    await connection.open();
  } finally {
    signal?.removeEventListener("abort", giveUp);
  }
  const { serverRunId } = connection;
  const doorbell = new Doorbell({ address: connection.address, role, serverRunId });
  const key = metaKey(runId);
  let disconnected = false;

  const call: Call = async (script, args) => {
    if (disconnected) throw new KvsClosedError();
    const all = [serverRunId, ...args];
    try {
      return await connection.request((session) => runScript(session, script, key, all));
    } catch (error) {
      throw replyError(error);
    }
  };

  return {
    ...driverVerbs(call),
    ...contextVerbs(call),
    ...engineVerbs(call),
    async claimsOf(engine, max) {
      return asArray(await call(scripts.claimsOf, [engine, max])).map((claim) =>
        parseTaskElement(asBuffer(claim)),
      );
    },
    async snapshot() {
      return parseSnapshot(await call(scripts.snapshot, []));
    },
    async waitForBell(whose, timeoutMs) {
      if (disconnected) throw new KvsClosedError();
      return doorbell.wait(bellKey(runId, whose), timeoutMs);
    },
    async disconnect() {
      disconnected = true;
      await Promise.all([connection.close(), doorbell.close()]);
    },
  };
}
