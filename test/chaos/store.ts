import { linkSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KvsError } from "@taskmuster/kvs";
import { type RunAddress, readAddressFile, writeAddressFile } from "@taskmuster/kvs/server";
import { TestServer, onPath } from "../../packages/kvs/test/test-server.js";
import { Link } from "./link.js";
import { processesIn, signal } from "./processes.js";

/** The store of a chaos run, with a link between it and everybody. */
export interface ChaosStore {
  /** What the driver is told of it. */
  readonly settings: readonly string[];
  /** Of all processes of the run, their directory for temporary files. */
  readonly temporary: string;
  readonly link: Link;
  /** Null: nobody is there to be stopped. */
  pid(): number | null;
  /** False: it is dead. Somebody starts it again. */
  kill(): Promise<boolean>;
  /** Before somebody is shown this address file: what it names is reached by the link only. Tells one life of a run's store from another; null: there is none. */
  beforeUse(addressFile: string): string | null;
  close(): Promise<void>;
}

/** Somebody else's server, which is there again as soon as it was killed, and has forgotten all. */
export async function externalStore(directory: string): Promise<ChaosStore> {
  const server = await TestServer.start(onPath("redis-server") ?? "redis-server");
  const link = new Link();
  const socket = path.join(server.directory, "link");
  await link.open(socket, server.socket, "lasting");
  return {
    settings: ["--kvsserver", `unix://${socket}`],
    temporary: directory,
    link,
    pid: () => server.pid,
    kill: async () => {
      await server.restart();
      return true;
    },
    beforeUse: (addressFile) => addressOf(addressFile)?.runId ?? null,
    close: async () => {
      link.close();
      await server.stop();
    },
  };
}

/** That of the run itself, which its driver starts, and starts again. The link takes the place of each socket that shows. */
export function privateStore(directory: string): ChaosStore {
  const link = new Link();
  // Short, as sockets lie in it, and where nobody else's are found.
  const temporary = mkdtempSync(path.join(tmpdir(), "tm-"));
  const places = [directory, temporary];
  const pid = (): number | null => processesIn(places).findLast(({ role }) => role === "store")?.pid ?? null;
  let closed = false;
  const watched = watch(temporary, link, () => closed);
  return {
    settings: [],
    temporary,
    link,
    pid,
    kill: () => {
      const victim = pid();
      return Promise.resolve(victim !== null && signal(victim, "SIGKILL"));
    },
    beforeUse: onlySocket,
    close: async () => {
      closed = true;
      await watched;
      link.close();
      rmSync(temporary, { recursive: true, force: true });
    },
  };
}

async function watch(temporary: string, link: Link, isOver: () => boolean): Promise<void> {
  const ours = new Set<string>();
  while (!isOver()) {
    for (const name of readdirSync(temporary)) {
      const socket = path.join(temporary, name, "kvs.sock");
      const server = identityOf(socket);
      if (server === null || ours.has(server)) continue;
      const [door, target] = [`${socket}.link`, `${socket}.server`];
      rmSync(door, { force: true });
      await link.open(door, target, "mortal");
      rmSync(target, { force: true });
      ours.add(identityOf(door) ?? "");
      // Both names in one stroke: at no time does the server seem dead.
      if (identityOf(socket) !== server) continue;
      linkSync(socket, target);
      renameSync(door, socket);
    }
    await delay(10);
  }
}

/** Null: there is none. A number alone may be given to another file. */
function identityOf(file: string): string | null {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.ino}:${stat.birthtimeNs}`;
}

/** Who can reach the server over TCP would not notice what is done to the link. */
function onlySocket(addressFile: string): string | null {
  const address = addressOf(addressFile);
  if (address === null) return null;
  const addresses = address.addresses.filter((each) => each.startsWith("unix:"));
  if (addresses.length < address.addresses.length) writeAddressFile(addressFile, { ...address, addresses });
  return address.runId;
}

/** Null: the run is over, or not that far. */
function addressOf(addressFile: string): RunAddress | null {
  try {
    return readAddressFile(addressFile);
  } catch (error) {
    if (error instanceof KvsError) return null;
    throw error;
  }
}
