import { type KvsStore, TaskmusterError } from "@taskmuster/kvs";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { comparable } from "./comparable.js";
import { type Operation, operation, prelude } from "./operations.js";
import { Player } from "./player.js";
import { TestServer, testServers } from "../../packages/kvs/test/test-server.js";
import { freshRunId } from "./world.js";

/** After a close everybody is told so, by every verb. */
const ending: readonly Operation[] = [
  { kind: "close" },
  { kind: "beat", tell: true, ahead: 0 },
  { kind: "ask" },
  { kind: "enrol", label: "C#", exact: false, nonce: 10, limit: null },
  { kind: "join", pick: 0 },
  { kind: "renew", pick: 0, counter: 1 },
];

/** What a step answered (or the error), and what anybody can see then. */
async function outcome(player: Player, step: Operation, store: KvsStore): Promise<object> {
  let result: object;
  try {
    result = { answer: comparable(await player.play(step)) };
  } catch (error) {
    if (!(error instanceof TaskmusterError)) throw error;
    result = { error: error.message };
  }
  return { ...result, snapshot: comparable(await store.snapshot()) };
}

for (const { name, binary } of testServers()) {
  if (binary === undefined) continue;
  describe(`memory and Redis on ${name}`, () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await TestServer.start(binary);
    });
    afterAll(async () => {
      await server.stop();
    });

    it("give the same answers to any sequence of operations", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 80 }), async (steps: Operation[]) => {
          const runId = freshRunId();
          const redis = await connectRedisStore({ address: server.address, runId, role: "driver" });
          const memoryServer = new MemoryServer();
          const memory = new MemoryStore(memoryServer, runId);
          const [one, two] = [new Player(memory), new Player(redis)];
          try {
            for (const [at, step] of [...prelude, ...steps, ...ending].entries()) {
              const expected = { at, step, ...(await outcome(one, step, memory)) };
              expect({ at, step, ...(await outcome(two, step, redis)) }).toEqual(expected);
              const bells = memoryServer.bells
                .hanging(`${runId}:`)
                .map((bell) => bell.replace(/.*:/, ""))
                .toSorted();
              const keys = await server.strings("KEYS", `tm:{${runId}}:bell:*`);
              expect({ at, step, bells: keys.map((key) => key.replace(/.*:/, "")) }).toEqual({
                at,
                step,
                bells,
              });
            }
          } finally {
            await redis.disconnect();
            await memory.disconnect();
          }
        }),
        { numRuns: 200 },
      );
    });
  });
}
