import { randomBytes } from "node:crypto";
import type { KvsStore } from "@taskmuster/kvs";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import { type RunId, runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import type { KvsAddress } from "@taskmuster/kvs/server";
import { accessLines } from "../../packages/kvs/src/server/access.js";
import { TestServer } from "../../packages/kvs/test/test-server.js";

/** A server of some kind, and what the suite wants to do with it. */
export interface World {
  connect(run: RunId): Promise<KvsStore>;
  /** The server forgets everything, as by a restart. */
  forget(): Promise<void>;
  /** What is left of these runs on the server. */
  leftovers(run: RunId): Promise<readonly string[]>;
  posted(run: RunId, key: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

export function freshRunId(): RunId {
  return runId(`r${randomBytes(8).toString("hex")}`);
}

export async function memoryWorld(): Promise<World> {
  const server = new MemoryServer();
  return {
    connect: async (run) => new MemoryStore(server, run),
    forget: async () => {
      server.forget();
    },
    leftovers: async (run) => (server.runs.has(run) ? [run] : []),
    posted: async (run, key) => server.posted(run, key),
    stop: async () => undefined,
  };
}

export async function redisWorld(binary: string): Promise<World> {
  const server = await TestServer.start(binary);
  return {
    connect: (run) => connectRedisStore({ address: server.address, runId: run, role: "engine" }),
    forget: () => server.restart(),
    leftovers: (run) => server.strings("KEYS", `*${run}*`),
    posted: (run, key) => server.strings("LRANGE", `tm:{${run}}:post:${key}`, "0", "-1"),
    stop: () => server.stop(),
  };
}

/** The same, but what engines do is done as the user that a private server has for them. */
export async function confinedWorld(binary: string): Promise<World> {
  const server = await TestServer.start(binary);
  const runs = new Set<RunId>();
  const allow = async (run: RunId): Promise<KvsAddress> => {
    const engines = { username: `engine-${run}`, password: "secret" };
    const [, line = ""] = accessLines(run, { password: "owner", engines }).split("\n");
    await server.command("ACL", "SETUSER", ...line.split(" ").slice(1));
    return { ...server.address, ...engines };
  };
  return {
    async connect(run) {
      runs.add(run);
      const engine = await connectRedisStore({ address: await allow(run), runId: run, role: "engine" });
      const owner = await connectRedisStore({ address: server.address, runId: run, role: "driver" });
      return {
        ...owner,
        join: (request) => engine.join(request),
        announce: (announcement) => engine.announce(announcement),
        exchange: (request) => engine.exchange(request),
        renew: (request) => engine.renew(request),
        leave: (id, why) => engine.leave(id, why),
        claimsOf: (id, max) => engine.claimsOf(id, max),
        waitForBell: (whose, timeoutMs) => engine.waitForBell(whose, timeoutMs),
        async disconnect() {
          await Promise.all([engine.disconnect(), owner.disconnect()]);
        },
      };
    },
    async forget() {
      await server.restart();
      for (const run of runs) await allow(run);
    },
    leftovers: (run) => server.strings("KEYS", `*${run}*`),
    posted: (run, key) => server.strings("LRANGE", `tm:{${run}}:post:${key}`, "0", "-1"),
    stop: () => server.stop(),
  };
}
