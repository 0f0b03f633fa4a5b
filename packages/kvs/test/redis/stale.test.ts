import { KvsLostError } from "@taskmuster/kvs";
import { attempt, contextId, engineId, needsKey, runId, taskId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { afterEach, describe, expect, it } from "vitest";
import { quietBeat } from "../quiet-beat.js";
import { TestServer, onPath } from "../test-server.js";

const binary = onPath("redis-server");

describe.skipIf(binary === undefined)("a server that comes back with old data from its disk", () => {
  let server: TestServer | undefined;
  afterEach(async () => {
    await server?.stop();
  });

  it("counts as one that has forgotten everything", async () => {
    server = await TestServer.start(binary ?? "");
    const options = { address: server.address, runId: runId("stalerun"), role: "driver" } as const;
    const old = await connectRedisStore(options);
    const needs = needsKey({ cores: 1 });
    const oldToken = await old.open(Buffer.from("info"));
    await old.publish(oldToken, 1, [{ id: taskId(0), attempt: attempt(1), needs, body: Buffer.from("x") }]);
    const engine = engineId("engine01");
    const joining = { engine, context: contextId("ctx"), info: Buffer.from("") };
    await old.join(joining);
    await old.post(oldToken, "key", "1");
    await server.command("SAVE");
    await server.restart();
    await expect(old.beat(oldToken, quietBeat)).rejects.toThrow(KvsLostError);
    await old.disconnect();
    expect(await server.strings("KEYS", "*stalerun*")).not.toEqual([]);

    const store = await connectRedisStore(options);
    try {
      expect(await store.join(joining)).toEqual({ kind: "noRun" });
      expect(await store.snapshot()).toMatchObject({ open: false });
      await expect(store.renew({ engine, counter: 1, stats: Buffer.from("") })).rejects.toThrow(
        /counts as lost/,
      );
      await expect(store.beat(oldToken, quietBeat)).rejects.toThrow(KvsLostError);
      const token = await store.open(Buffer.from("info"));
      expect(token).toBeGreaterThan(oldToken);
      expect(await store.snapshot()).toMatchObject({ open: true, queued: 0, engines: [] });
      expect(await server.strings("KEYS", "*stalerun*")).toEqual(["tm:{stalerun}:meta"]);
    } finally {
      await store.disconnect();
    }
  });
});
