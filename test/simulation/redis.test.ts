import { type KvsStore, TaskmusterError } from "@taskmuster/kvs";
import type { RunId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestServer, testServers } from "../../packages/kvs/test/test-server.js";
import { comparable } from "../conformance/comparable.js";
import { freshRunId } from "../conformance/world.js";
import { simulate } from "./simulate.js";
import type { Operation } from "./wire/store-server.js";

/** All that the store of one simulation was asked, in its order. */
async function operationsOf(seed: number): Promise<readonly Operation[]> {
  const operations: Operation[] = [];
  const { failure } = await simulate(seed, { onOperation: (operation) => operations.push(operation) });
  expect(failure).toBeNull();
  return operations;
}

async function doAgain(store: KvsStore, { verb, args }: Operation): Promise<unknown> {
  const method = Reflect.get(store, verb) as (...all: readonly unknown[]) => Promise<unknown>;
  try {
    return { answer: comparable(await Reflect.apply(method, store, args)), error: null };
  } catch (error) {
    if (!(error instanceof TaskmusterError)) throw error;
    return { answer: undefined, error: error.message };
  }
}

for (const { name, binary } of testServers()) {
  if (binary === undefined) continue;
  describe(`${name}, asked what the memory store was asked in a simulation`, () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await TestServer.start(binary);
    });
    afterAll(async () => {
      await server.stop();
    });

    it("answers the same", async () => {
      for (let seed = 1; seed <= 40; seed++) {
        const stores = new Map<RunId, KvsStore>();
        for (const [at, operation] of (await operationsOf(seed)).entries()) {
          const { run, verb, args, answer, error } = operation;
          const store =
            stores.get(run) ??
            (await connectRedisStore({ address: server.address, runId: freshRunId(), role: "driver" }));
          stores.set(run, store);
          const where = { seed, at, verb, args: comparable(args) };
          const expected = { ...where, answer: comparable(answer), error };
          expect({ ...where, ...((await doAgain(store, operation)) as object) }).toEqual(expected);
        }
        for (const store of stores.values()) await store.disconnect();
      }
    });
  });
}
