import { existsSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parseEndpoint } from "../address.js";
import { KvsError, TaskmusterError } from "../errors.js";
import { decodeEngineInfo } from "../protocol/index.js";
import { connectRedisStore } from "../redis/store.js";
import type { EngineSnapshot, KvsStore } from "../store.js";
import { type RunAddress, readAddressFile } from "./address-file.js";
import { endServer } from "./end-server.js";
import { noteStoreEnded } from "./note-ended.js";
import { isProcessAlive, livesIn } from "./process-alive.js";
import { Watch } from "./watch.js";

export interface KeepOptions {
  readonly addressFile: string;
  /** The server's own directory, with its socket. */
  readonly directory: string;
  readonly serverPid: number;
  readonly leaseMs: number;
  /** How long no new driver may show before nobody is expected to. */
  readonly driverPatienceMs: number;
}

/** What `startKeeper` puts into argv. Throws a `RangeError`. */
export function parseKeeperArguments(args: readonly string[]): KeepOptions {
  const [addressFile, directory, ...numbers] = args;
  const [serverPid = 0, leaseMs = 0, driverPatienceMs = 0] = numbers.map(Number);
  if (
    addressFile === undefined ||
    directory === undefined ||
    !(serverPid > 1 && leaseMs > 0 && driverPatienceMs > 0)
  ) {
    throw new RangeError("usage: keeper ADDRESSFILE DIRECTORY PID LEASE_MS DRIVER_PATIENCE_MS");
  }
  return { addressFile, directory, serverPid, leaseMs, driverPatienceMs };
}

/**
 * The driver died without a word. Waits until no engine holds a lease and no new driver has taken over, then ends the
 * private server and removes its directory and the address file. Returns then, or when the server is gone already.
 */
export async function runKeeper(options: KeepOptions): Promise<void> {
  const address = await findAddress(options.addressFile);
  // Without it nobody can join or recover: the driver was about to end, or to begin.
  if (address === undefined) return endServer(options, undefined);
  // What we shall end is only the server that we were started for; a new driver may have started another.
  const sockets = address.addresses.filter((each) => pathOf(each).startsWith(options.directory));
  if (sockets.length === 0) return endServer(options, undefined);
  // Of its other addresses nothing could be learned on this host.
  const local = { ...address, addresses: sockets };
  if (await watch(options, local)) noteStoreEnded(options.addressFile);
  // A driver that has taken over may have started it again, as another process.
  if (!isProcessAlive(options.serverPid) && (await isThereAgain(options, local))) return;
  await endServer(options, local);
  removeAddressFile(options.addressFile, address);
}

async function isThereAgain({ driverPatienceMs }: KeepOptions, address: RunAddress): Promise<boolean> {
  const store = await connect(address, driverPatienceMs);
  await store?.disconnect();
  return store !== undefined;
}

/** Undefined: there is none. One that we may not use (others can read it) may be mended, and its server may be in use. */
async function findAddress(path: string): Promise<RunAddress | undefined> {
  while (existsSync(path)) {
    try {
      return readAddressFile(path);
    } catch (error) {
      if (!(error instanceof KvsError)) throw error;
    }
    await sleep(5_000);
  }
  return undefined;
}

function pathOf(address: string): string {
  const endpoint = parseEndpoint(address);
  return endpoint.kind === "unix" ? endpoint.path : "";
}

const lookEveryMs = 500;

/** Returns when nobody needs the server any more, or it is gone, or has stood still for two leases. True: it still held a run, whose engines are all dead. */
async function watch(options: KeepOptions, address: RunAddress): Promise<boolean> {
  const { leaseMs, driverPatienceMs } = options;
  const watcher = new Watch({ leaseMs, driverPatienceMs, longestGapMs: 10_000 });
  let store: KvsStore | undefined;
  let answeredAt = performance.now();
  try {
    for (;;) {
      store ??= await connect(address);
      if (store === undefined) {
        // One that only stands still has results that nobody has taken, until nobody waits for it any more.
        if (!isThere(options) || performance.now() - answeredAt > 2 * leaseMs) return false;
        await sleep(lookEveryMs);
        continue;
      }
      const broken = store;
      try {
        const snapshot = await store.snapshot();
        answeredAt = performance.now();
        const seen = watcher.look(performance.now(), snapshot, isDeadHere);
        // A run that was closed has ended in good order.
        if (!seen.driver && seen.engines === 0) return snapshot.open;
        // A driver that took over has a keeper of its own: this one is only there in case.
        await sleep(seen.driver ? driverPatienceMs / 2 : lookEveryMs);
      } catch (error) {
        if (!(error instanceof TaskmusterError)) throw error;
        store = undefined;
        await broken.disconnect();
      }
    }
  } finally {
    await store?.disconnect();
  }
}

function isThere({ serverPid, directory }: KeepOptions): boolean {
  return isProcessAlive(serverPid) && livesIn(serverPid, directory);
}

/** A store that is closed when its connection breaks: then we want to know whether the server is still there. */
async function connect(address: RunAddress, waitMs = 1_000): Promise<KvsStore | undefined> {
  try {
    const store = await connectRedisStore({
      address,
      runId: address.runId,
      role: "keeper",
      waitMs,
      onEvent: (event) => {
        if (event.kind === "down") void store.disconnect();
      },
    });
    return store;
  } catch (error) {
    if (error instanceof KvsError) return undefined;
    throw error;
  }
}

function isDeadHere({ info }: EngineSnapshot): boolean {
  try {
    const { host, pid } = decodeEngineInfo(info);
    return host === hostname() && !isProcessAlive(pid);
  } catch {
    return false;
  }
}

/** Unless a new driver has written another address into it. */
function removeAddressFile(path: string, address: RunAddress): void {
  try {
    if (readAddressFile(path).addresses.join() === address.addresses.join()) rmSync(path, { force: true });
  } catch (error) {
    if (!(error instanceof KvsError)) throw error;
  }
}
