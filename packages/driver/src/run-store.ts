import { KvsError } from "@taskmuster/kvs";
import type { RunId } from "@taskmuster/kvs/protocol";
import {
  findServerBinary,
  type Keeper,
  type Listen,
  type PrivateServer,
  type ServerExit,
  startKeeper,
  startPrivateServer,
  startReachableServer,
} from "@taskmuster/kvs/server";
import type { Logger } from "pino";
import type { RunFiles } from "./run-files.js";
import type { DriverStore } from "./store/driver-store.js";

/* The key-value store of a run: found or started, watched over, and given back. */

/** One that nobody else can reach is there at once; for another we must know first that it got its port. */
export async function startServer(
  binary: string,
  spec: {
    readonly runId: RunId;
    readonly listen: Listen | null;
    readonly onNotice: (message: string) => void;
  },
): Promise<PrivateServer> {
  const { runId, listen, onNotice } = spec;
  if (listen === null) return startPrivateServer({ binary, runId });
  const server = await startReachableServer({ binary, runId, listen });
  if (server.identity.tcp?.tls === null) {
    onNotice(
      `${binary} cannot do TLS: what engines on other hosts say to it, their password too, can be read on the network between. ` +
        "Most packages of Redis and Valkey can",
    );
  }
  return server;
}

export async function serverBinary(env: NodeJS.ProcessEnv): Promise<string> {
  const binary = await findServerBinary(env);
  if (binary !== null) return binary;
  throw new KvsError(
    "there is no redis-server or valkey-server on PATH. Install one (Debian, Ubuntu: apt-get install redis-server; " +
      "Fedora, RHEL: dnf install redis; conda: conda install -c conda-forge redis-server), " +
      "or build one without root: dbutil build-redis (needs a network, make and a C compiler), " +
      "or name one that runs: --kvsserver HOST:PORT",
  );
}

/** Sees to it that a private server does not outlive us for longer than its engines need it. */
export function keep(
  server: Pick<PrivateServer, "pid" | "directory">,
  spec: {
    readonly keeperScript: string;
    readonly files: Pick<RunFiles, "kvsInfo">;
    readonly leaseMs: number;
  },
): Keeper | null {
  const { pid, directory } = server;
  // It could not be started at all: `ready` says why.
  if (pid === undefined) return null;
  return startKeeper({
    node: process.execPath,
    keeperScript: spec.keeperScript,
    addressFile: spec.files.kvsInfo,
    server: { pid, directory },
    leaseMs: spec.leaseMs,
  });
}

export function howServerEnded(end: ServerExit): string {
  return end.signal ?? (end.code === null ? "its end was not seen" : `exit status ${end.code}`);
}

export async function closeStore(store: DriverStore, token: number, log: Logger): Promise<void> {
  try {
    await Promise.race([
      store.close(token),
      new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), closeMs).unref()),
    ]);
  } catch (error) {
    log.warn({ err: error }, "the run's keys could not be deleted");
  }
  await store.disconnect();
}

export const serverStartMs = 20_000;
const closeMs = 5_000;
