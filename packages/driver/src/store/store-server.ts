import { existsSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { KvsError, KvsLostError } from "@taskmuster/kvs";
import type { RunId } from "@taskmuster/kvs/protocol";
import {
  type AdoptedServer,
  type Keeper,
  type KvsAddress,
  type RunAddress,
  type RunningServer,
  type ServerIdentity,
  adoptServer,
  endDistantServer,
  endOtherKeepers,
  findServerBinary,
  parseEndpoint,
  readAddressFile,
  writeAddressFile,
} from "@taskmuster/kvs/server";
import type { Logger } from "pino";
import { duration } from "../recovery/duration.js";
import { recoverCommand } from "../recovery/earlier-run.js";
import { keep, serverStartMs, startServer } from "../run-store.js";
import type { RunSpec } from "../start-run.js";
import { keepAlive } from "./keep-alive.js";

/** What is to be done when the rest fails, last one first. */
export type Undo = (() => void | Promise<void>)[];

type ServerSpec = Pick<RunSpec, "files" | "env" | "listen" | "leaseMs" | "keeperScript" | "onNotice">;

/** Where a run has its store: a private server, which is started again when it dies, or one of somebody else's. */
export interface StoreServer {
  readonly address: KvsAddress;
  readonly runId: RunId;
  /** It takes connections. */
  readonly ready: Promise<void>;
  /** For so long it may be about to start; 0: it must be there. */
  readonly startMs: number;
  /** Called when it has not answered for a lease, and nobody here can do anything about that. */
  readonly onAway?: () => void;
  /** From now on a private one is started again when it dies. Rejects with `KvsError` when it never takes connections. */
  watch(run: ServerWatch): Promise<void>;
  /** Ends it, if it is private. Twice is fine. */
  dismiss(): Promise<void>;
}

export interface ServerWatch {
  readonly log: Logger;
  /** Throws `FencedError` when another driver has the run: then its server is none of our business. */
  readonly checkOurs: () => void;
  /** It will not be there again. */
  readonly onGivenUp: (error: Error) => void;
}

/**
 * A server for a run that is opened: `binary`, or that of somebody else. Its address is in the run's file from then on, in the place of another
 * one that may be there.
 */
export async function newServer(
  spec: ServerSpec,
  where: { readonly binary: string } | { readonly address: KvsAddress },
  runId: RunId,
  undo: Undo,
): Promise<StoreServer> {
  const own = "binary" in where ? await startServer(where.binary, { ...spec, runId }) : null;
  if (own !== null) undo.push(() => own.stop());
  const address = own?.address ?? ("address" in where ? where.address : null);
  if (address === null) throw new KvsError("no key-value store");
  const before = addressIn(spec.files.kvsInfo);
  writeAddressFile(spec.files.kvsInfo, { ...address, runId });
  // Who tries again must find the store of before: engines may be at work there.
  undo.push(() => {
    if (before === null) rmSync(spec.files.kvsInfo, { force: true });
    else writeAddressFile(spec.files.kvsInfo, before);
  });
  if (own === null || !("binary" in where)) return someoneElses(address, runId);
  const keeper = keep(own, spec);
  if (keeper !== null) undo.push(() => keeper.done());
  const server = privateOne(spec, { ...own, address, keeper, runId, binary: where.binary });
  undo.push(() => server.dismiss());
  return server;
}

/** Null: none that anybody could use. */
function addressIn(path: string): RunAddress | null {
  try {
    return readAddressFile(path);
  } catch {
    return null;
  }
}

/** The server of a run that was taken over, on `host`, as far as is known. Should the rest fail it is left as it is, with its keeper. */
export async function inheritedServer(
  spec: ServerSpec,
  address: RunAddress,
  host: string | null,
): Promise<StoreServer> {
  const { runId } = address;
  if (!address.private) return someoneElses(address, runId);
  const server = await adopted(address, host);
  if (server === null) {
    return {
      ...someoneElses(address, runId),
      onAway: () => spec.onNotice(awayWords(spec, host)),
      dismiss: () => endDistantServer(address),
    };
  }
  // That of before may be gone, too.
  const keeper = keep(server, spec);
  endOtherKeepers({ addressFile: spec.files.kvsInfo, server }, keeper?.pid);
  const binary = await findServerBinary(spec.env);
  return privateOne(spec, { ...server, address, ready: Promise.resolve(), keeper, runId, binary });
}

/** One of this host answered a moment ago: whatever is between will pass. Throws `KvsLostError` when it does not. */
async function adopted(address: RunAddress, host: string | null): Promise<AdoptedServer | null> {
  const since = performance.now();
  for (;;) {
    const server = await adoptServer(address);
    if (server !== null || host !== hostname() || !address.addresses.some(isSocketHere)) return server;
    if (performance.now() - since > adoptMs)
      throw new KvsLostError("the private Redis server does not answer any more", "unreachable");
    await delay(againMs);
  }
}

function isSocketHere(address: string): boolean {
  const endpoint = parseEndpoint(address);
  return endpoint.kind === "unix" && existsSync(endpoint.path);
}

function awayWords({ leaseMs, files }: ServerSpec, host: string | null): string {
  const where = host === null ? "another host" : host;
  return (
    `the key-value store on ${where} has not answered for ${duration(leaseMs)}: what ran has ended by now, and is run again when the ` +
    `store is back. From here it cannot be started again. If ${where} is down for good, replace this driver: ` +
    `kill -9 ${process.pid}; ${recoverCommand(files.prefix)} --assume-dead`
  );
}

function someoneElses(address: KvsAddress, runId: RunId): StoreServer {
  return {
    address,
    runId,
    ready: Promise.resolve(),
    startMs: 0,
    watch: () => Promise.resolve(),
    dismiss: () => Promise.resolve(),
  };
}

function privateOne(
  spec: ServerSpec,
  server: RunningServer & {
    readonly address: KvsAddress;
    readonly runId: RunId;
    readonly ready: Promise<void>;
    readonly keeper: Keeper | null;
    readonly identity: ServerIdentity | null;
    readonly binary: string | null;
  },
): StoreServer {
  let dismiss = async (): Promise<void> => {
    await server.stop();
    await server.keeper?.done();
  };
  return {
    address: server.address,
    runId: server.runId,
    ready: server.ready,
    startMs: serverStartMs,
    async watch(run) {
      await server.ready;
      const lasting = keepAlive(server, server.keeper, { ...spec, ...run });
      dismiss = () => lasting.stop();
    },
    dismiss: () => dismiss(),
  };
}

const adoptMs = 10_000;
const againMs = 200;
