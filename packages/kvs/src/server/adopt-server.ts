import { dirname } from "node:path";
import { type KvsAddress, parseEndpoint } from "../address.js";
import { startSession } from "../redis/session.js";
import { endServer } from "./end-server.js";
import { livesIn } from "./process-alive.js";

/** A private server that a driver before this one has started. */
export interface AdoptedServer {
  /** Null: it is on another host, where its keeper looks after it. */
  readonly here: { readonly pid: number; readonly directory: string } | null;
  /** Ends it, as far as that can be done from here. Does not throw. */
  stop(): Promise<void>;
}

/** Finds out which process a private server is that answers at this address. */
export async function adoptServer(address: KvsAddress): Promise<AdoptedServer> {
  const here = await serverHere(address);
  return {
    here,
    stop: async () => {
      await endServer({ serverPid: here?.pid ?? 0, directory: here?.directory ?? null }, address);
    },
  };
}

async function serverHere(address: KvsAddress): Promise<AdoptedServer["here"]> {
  for (const each of address.addresses) {
    const endpoint = parseEndpoint(each);
    if (endpoint.kind !== "unix") continue;
    const result = await startSession(endpoint, address, {
      role: "driver",
      connectTimeoutMs: 2_000,
      blocking: false,
      signal: AbortSignal.timeout(5_000),
    });
    if (result.kind !== "session") continue;
    const { client } = result.session;
    const info = String(await client.call("INFO", "server").catch(() => ""));
    client.disconnect();
    const pid = Number(/^process_id:(\d+)/m.exec(info)?.[1] ?? 0);
    const directory = dirname(endpoint.path);
    if (pid > 1 && livesIn(pid, directory)) return { pid, directory };
  }
  return null;
}
