import { MemoryStore } from "@taskmuster/kvs/memory";
import { describe, expect, it } from "vitest";
import { LastingStore } from "../../src/store/lasting-store.js";
import {
  announcement,
  exchange,
  info,
  joining,
  leaseMs,
  limited,
  one,
  rig,
  run,
  task,
  two,
} from "./lasting-store-rig.js";

describe("LastingStore, of limits of contexts (-C),", () => {
  it("grants of limits what is left when everybody has told what they have used", async () => {
    const { server, store, token, clock, engine } = await rig();
    await engine().enrol({ label: "ctx", exactLabel: true, nonce: "n", info: limited, limit: 10 });
    const tasks = Array.from({ length: 20 }, (_, id) => task(id));
    await store.publish(token, 1, tasks);
    await engine().join(joining(one));
    await engine().join(joining(two));
    expect((await engine().exchange(exchange(one, 1, 2))).tasks).toHaveLength(2);
    expect((await engine().exchange(exchange(two, 1, 3))).tasks).toHaveLength(3);
    await store.snapshot();
    await store.expel(token, two, "lost");
    await store.snapshot();

    server.forget();
    await store.publish(token, 2, tasks);
    await store.publish(token, 3, tasks);
    // It has claimed two more since, which nobody has seen.
    await engine().announce(announcement(one, 2, tasks.slice(0, 4)));
    expect((await engine().exchange(exchange(one, 3, 9))).tasks).toHaveLength(0);
    clock.now = leaseMs;
    await store.snapshot();
    expect((await store.snapshot()).contexts).toMatchObject([{ credit: 3 }]);
    expect((await engine().exchange(exchange(one, 4, 9))).tasks).toHaveLength(3);
  });

  it("grants its limit to a context that comes back when all is settled, and that it had never seen", async () => {
    const { server, store, token, clock, said, engine } = await rig();
    await store.snapshot();
    server.forget();
    await store.snapshot();
    clock.now = leaseMs;
    await store.snapshot();
    expect(said.at(-1)).toBe("settled");
    await store.publish(token, 2, [task(0), task(1), task(2)]);
    await engine().enrol({ label: "ctx", exactLabel: false, nonce: "n", info: limited, limit: 0 });
    await engine().announce(announcement(one, 1, [], 8));
    expect((await engine().exchange(exchange(one, 2, 9))).tasks).toHaveLength(0);
    await store.snapshot();
    expect((await store.snapshot()).contexts).toMatchObject([{ credit: 2 }]);
    expect((await engine().exchange(exchange(one, 3, 9))).tasks).toHaveLength(2);
  });

  it("puts back a context of its own that it has not seen under its name, and grants nothing until all is settled", async () => {
    const { server, store, clock, engine } = await rig();
    await engine().enrol({ label: "OTHER", exactLabel: false, nonce: "other", info, limit: null });
    await store.enrol({ label: "OWN#", exactLabel: false, nonce: "own", info: limited, limit: 10 });
    server.forget();
    const { contexts } = await store.snapshot();
    expect(contexts).toMatchObject([{ context: "OWN1", credit: 0 }]);
    clock.now = leaseMs;
    await store.snapshot();
    expect((await store.snapshot()).contexts).toMatchObject([{ context: "OWN1", credit: 10 }]);
  });

  it("knows after a takeover what engines had used of a limit that were gone by then", async () => {
    const { server, store, token, clock, engine } = await rig();
    await engine().enrol({ label: "ctx", exactLabel: true, nonce: "n", info: limited, limit: 10 });
    await store.publish(token, 1, [task(0), task(1), task(2)]);
    await engine().join(joining(one));
    expect((await engine().exchange(exchange(one, 1, 3))).tasks).toHaveLength(3);
    await engine().exchange(
      exchange(one, 2, 0, [
        [1, 0],
        [2, 1],
        [3, 2],
      ]),
    );
    await store.acknowledge(token, 3);
    expect(await engine().leave(one, "done")).toBe(true);

    const next = new MemoryStore(server, run);
    const taken = await next.takeOver();
    if (taken === null) expect.fail("the run is not there");
    const over = new LastingStore(next, taken.token, {
      info,
      connect: async () => new MemoryStore(server, run),
      checkOurs: () => undefined,
      leaseMs,
      now: () => clock.now,
    });
    over.remember(await next.snapshot());
    const heard: string[] = [];
    server.forget();
    // It may forget before anybody listens.
    await over.receive(taken.token, 1);
    over.listen({
      onForgotten: () => heard.push("forgotten"),
      onReopened: () => undefined,
      onAnnounced: () => undefined,
      onSettled: () => heard.push("settled"),
      onLookDue: () => undefined,
      onSilent: () => undefined,
      onAnswer: () => undefined,
      tasksReportedBy: () => 0,
    });
    expect(heard).toEqual(["forgotten"]);
    expect((await over.snapshot()).contexts).toMatchObject([{ context: "ctx", credit: 0 }]);
    clock.now = leaseMs;
    await over.snapshot();
    expect(heard).toEqual(["forgotten", "settled"]);
    expect((await over.snapshot()).contexts).toMatchObject([{ context: "ctx", credit: 7 }]);
  });
});
