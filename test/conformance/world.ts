import { randomBytes } from "node:crypto";
import type { KvsStore } from "@taskmuster/kvs";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import { type RunId, runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
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
