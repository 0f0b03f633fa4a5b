import { KvsFullError } from "@taskmuster/kvs";
import { attempt, contextId, engineId, needsKey, runId, taskId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { afterEach, describe, expect, it } from "vitest";
import { quietBeat } from "../quiet-beat.js";
import { TestServer, onPath } from "../test-server.js";

const binary = onPath("redis-server");

describe.skipIf(binary === undefined)("a server that is full", () => {
  let server: TestServer | undefined;
  afterEach(async () => {
    await server?.stop();
  });

  it("refuses what could make it fuller, changing nothing; all else gets through", async () => {
    server = await TestServer.start(binary ?? "");
    const store = await connectRedisStore({
      address: server.address,
      runId: runId("fullrun1"),
      role: "driver",
    });
    try {
      const needs = needsKey({ cores: 1 });
      const [alice, bob] = [engineId("engine0a"), engineId("engine0b")];
      const task = (id: number) => ({ id: taskId(id), attempt: attempt(1), needs, body: Buffer.from("x") });
      const joining = { context: contextId("ctx"), info: Buffer.from("") };
      const token = await store.open(Buffer.from("info"));
      await store.join({ ...joining, engine: alice });
      await store.join({ ...joining, engine: bob });
      await store.publish(token, 1, [task(0), task(1), task(2), task(3)]);
      const empty = { reports: [], releases: [], maxBytes: 1000, idleSlots: 2, awaitsAcknowledgement: false };
      const wants = [{ needs, max: 3 }];
      const three = { ...empty, idleSlots: 3 };

      await server.command("CONFIG", "SET", "maxmemory", "100kb");
      await expect(server.command("SET", "more", "x")).rejects.toThrow("OOM");

      await expect(store.publish(token, 2, [task(4)])).rejects.toThrow(KvsFullError);
      await expect(store.join({ ...joining, engine: engineId("engine0c") })).rejects.toThrow(KvsFullError);
      expect(await store.snapshot()).toMatchObject({ queued: 4, engines: [{}, {}] });

      const claimed = await store.exchange({ ...three, engine: alice, seq: 1, wants });
      expect(claimed.tasks.map(({ id }) => id)).toEqual([0, 1, 2]);
      const idle = await store.exchange({ ...empty, engine: bob, seq: 1, wants: [] });
      expect(idle.tasks).toEqual([]);
      const reports = [
        { number: 1, ends: taskId(0), body: Buffer.from("r") },
        { number: 2, ends: null, body: Buffer.from("s") },
      ];
      await store.exchange({ ...empty, engine: alice, seq: 2, wants: [], reports, releases: [task(1)] });
      const perEngine = [{ number: 3, ends: null, body: Buffer.from("t") }];
      await store.exchange({ ...empty, engine: alice, seq: 3, wants: [], reports: perEngine });
      await store.renew({ engine: alice, counter: 7, stats: Buffer.from("well") });
      await store.beat(token, quietBeat);
      await store.post(token, "key", "1");
      expect((await store.receive(token, 10)).reports).toHaveLength(3);
      await store.acknowledge(token, 3);
      await store.order(token, { kind: "engine", engine: bob }, "drain");
      expect(await store.leave(bob, "asked")).toBe(true);
      expect(await store.withdraw(token, task(3))).toBe(true);
      expect(await store.expel(token, alice, "gone")).toEqual([{ id: 2, attempt: 1 }]);
      expect(await store.snapshot()).toMatchObject({
        queued: 1,
        reports: 0,
        engines: [
          { renewal: 7, state: "expelled" },
          { state: "left", why: "asked" },
        ],
      });

      await server.command("CONFIG", "SET", "maxmemory", "0");
      await store.publish(token, 2, [task(4)]);
      expect(await store.snapshot()).toMatchObject({ queued: 2 });
      await store.close(token);
    } finally {
      await store.disconnect();
    }
  });
});
