import { TaskmusterError } from "@taskmuster/kvs";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Operation, Player, operation } from "./operations.js";
import { TestServer, testServers } from "./test-server.js";
import { freshRunId } from "./world.js";

/** An answer or an error as something that can be compared. */
async function outcome(answer: Promise<unknown>): Promise<unknown> {
  try {
    return { answer: comparable(await answer) };
  } catch (error) {
    if (error instanceof TaskmusterError) return { error: error.message };
    throw error;
  }
}

function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, comparable(each)]));
  }
  return value;
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
          const memory = new MemoryStore(new MemoryServer(), runId);
          const players = [new Player(memory), new Player(redis)] as const;
          try {
            const open: Operation = { kind: "open" };
            for (const [at, step] of [open, ...steps].entries()) {
              const expected = await outcome(players[0].play(step));
              expect({ at, step, ...((await outcome(players[1].play(step))) as object) }).toEqual({
                at,
                step,
                ...(expected as object),
              });
            }
            expect(await outcome(players[1].epilogue())).toEqual(await outcome(players[0].epilogue()));
          } finally {
            await redis.disconnect();
            await memory.disconnect();
          }
        }),
        { numRuns: 150 },
      );
    });
  });
}
