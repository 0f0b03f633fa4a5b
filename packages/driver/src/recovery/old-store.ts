import { hostname } from "node:os";
import { connect } from "node:net";
import type { KvsStore } from "@taskmuster/kvs";
import { KvsError } from "@taskmuster/kvs";
import { type ConnectionEvent, connectRedisStore } from "@taskmuster/kvs/redis";
import { type RunAddress, parseEndpoint } from "@taskmuster/kvs/server";
import { recoverCommand } from "./earlier-run.js";
import type { Remains } from "./remains.js";

export type OldStore =
  | {
      readonly kind: "answers";
      readonly store: KvsStore;
      readonly address: RunAddress;
      /** It was taken over: from now on it may be away for as long as it likes. */
      readonly lasts: () => void;
    }
  /** For certain, or so the user says. `server`: one of somebody else's, which is there and knows nothing of the run. */
  | {
      readonly kind: "gone";
      readonly why: string;
      readonly server: RunAddress | null;
      /** Its process was on this host, and is dead. */
      readonly isDeadHere: boolean;
    };

/**
 * Looks for the store of a run whose driver is gone. Throws `KvsError` when it cannot be told whether it is there: what it holds, or an old
 * driver beside it, may be at work.
 */
export async function findOldStore(
  { address, driver, files }: Remains,
  assumeDead: boolean,
): Promise<OldStore> {
  if (address === null) {
    return { kind: "gone", why: `there is no ${files.kvsInfo} any more`, server: null, isDeadHere: false };
  }
  let store: KvsStore;
  const patience = new Patience();
  try {
    const onEvent = (event: ConnectionEvent): void => patience.on(event);
    store = await connectRedisStore({ address, runId: address.runId, role: "driver", onEvent });
    patience.isOver = () => void store.disconnect();
  } catch (error) {
    if (!(error instanceof KvsError)) throw error;
    if (address.private && driver.storeHost === hostname() && !(await takesConnections(address))) {
      return { kind: "gone", why: "its server is dead", server: null, isDeadHere: true };
    }
    if (assumeDead) return { kind: "gone", why: "it does not answer", server: null, isDeadHere: false };
    throw unreachable(error, address, driver.storeHost, files.prefix);
  }
  if ((await store.snapshot()).open) {
    return { kind: "answers", store, address, lasts: () => patience.end() };
  }
  patience.end();
  await store.disconnect();
  return {
    kind: "gone",
    why: "its server knows nothing of the run",
    server: address.private ? null : address,
    isDeadHere: false,
  };
}

function unreachable(
  cause: KvsError,
  address: RunAddress,
  storeHost: string | null,
  prefix: string,
): KvsError {
  const again = recoverCommand(prefix);
  if (storeHost === null) {
    return new KvsError(
      `${cause.message}\nWhat works for this run may go on there. When the server is back: ${again}. When it is gone for good, and the ` +
        `driver too: ${again} --assume-dead`,
      { cause },
    );
  }
  const hostOnly = address.addresses.every((each) => each.startsWith("unix:"));
  const where = hostOnly
    ? `The key-value store of this run was started on ${storeHost}, and listens on that host only`
    : `The key-value store of this run was started on ${storeHost}, and cannot be reached from here`;
  return new KvsError(
    `${cause.message}\n${where}: what works for the run may go on there. Recover it on ${storeHost}. If that host is down for good: ` +
      `${again} --assume-dead`,
    { cause },
  );
}

/** Of who waits for a store: one that does not come back is given up. */
class Patience {
  isOver: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  on({ kind }: ConnectionEvent): void {
    clearTimeout(this.#timer);
    if (kind !== "down" || this.#ended) return;
    this.#timer = setTimeout(() => this.isOver(), patienceMs);
    this.#timer.unref();
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }
}

const patienceMs = 10_000;

/** A server that hangs does, a dead one does not. */
async function takesConnections(address: RunAddress): Promise<boolean> {
  for (const each of address.addresses) {
    const endpoint = parseEndpoint(each);
    if (endpoint.kind === "unix" && (await accepts(endpoint.path))) return true;
  }
  return false;
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const answer = (there: boolean) => () => {
      probe.destroy();
      resolve(there);
    };
    probe.once("connect", answer(true));
    probe.once("error", answer(false));
  });
}
