import { FencedError } from "@taskmuster/kvs";
import { expect, it } from "vitest";
import { quietBeat } from "../../../packages/kvs/test/quiet-beat.js";
import { TestEngine, bytes, ids, reportTexts, task, tasks, wide } from "../actors.js";
import { freshRunId } from "../world.js";
import type { Bench } from "./bench.js";

/** A driver whose predecessor is gone. */
export function takeoverSuite({ connect, open }: Bench): void {
  it("cannot take over what is not there, and does not make it", async () => {
    const store = await connect(freshRunId());
    expect(await store.takeOver()).toBe(null);
    expect(await store.snapshot()).toMatchObject({ open: false });
  });

  it("ends a hold, and rings those who could claim nothing meanwhile", async () => {
    const { run, store, token } = await open();
    const engine = await TestEngine.join(store, "engine01");
    await store.order(token, { kind: "run" }, "hold");
    expect(await store.waitForBell(engine.id, 1_000)).toBe("rung");
    expect((await engine.claim(2)).wanted).toBe("hold");
    const second = await connect(run);
    const taken = await second.takeOver();
    if (taken === null) expect.fail("the run is not there");
    expect(await store.waitForBell(engine.id, 1_000)).toBe("rung");
    expect(await engine.claim(2)).toMatchObject({ tasks: [], wanted: "run" });
    await second.publish(taken.token, 1, tasks(0, 1));
    expect(await store.waitForBell(engine.id, 1_000)).toBe("rung");
    expect(ids(await engine.claim(2))).toEqual([0, 1]);
  });

  it("takes over what engines hold and have reported, and empties the queues", async () => {
    const { run, store, token } = await open();
    await store.publish(token, 1, [...tasks(0, 5), task(6, { needs: wide }), task(7, { tries: 2 })]);
    const engine = await TestEngine.join(store, "engine01");
    await engine.claim(3);
    await engine.finish(1);
    const other = await TestEngine.join(store, "engine02");
    await other.claim(1);
    const lost = await TestEngine.join(store, "engine03");
    await lost.claim(2);
    await store.expel(token, lost.id, "lease");

    const second = await connect(run);
    const taken = await second.takeOver();
    expect(taken?.token).toBeGreaterThan(token);
    expect(taken?.claims).toEqual([
      { id: 0, attempt: 1 },
      { id: 2, attempt: 1 },
      { id: 3, attempt: 1 },
    ]);
    expect(taken?.expelled).toEqual([
      { id: 4, attempt: 1 },
      { id: 5, attempt: 1 },
    ]);
    expect(await second.snapshot()).toMatchObject({ token: taken?.token, queued: 0, reports: 1 });
    const { reports } = await second.receive(taken?.token ?? 0, 10);
    expect(reportTexts(reports)).toEqual(["engine01/1 end of 1"]);
    await expect(store.beat(token, quietBeat)).rejects.toThrow(FencedError);

    // Engines go on as they did: nothing to claim, then what the new driver publishes, whose numbers begin anew.
    expect(ids(await engine.claim(9))).toEqual([]);
    await second.publish(taken?.token ?? 0, 1, [task(4, { tries: 2 })]);
    expect(ids(await engine.claim(9))).toEqual([4]);
    await engine.finish(0, 2);
    expect((await second.takeOver())?.claims).toEqual([
      { id: 3, attempt: 1 },
      { id: 4, attempt: 2 },
    ]);
  });

  it("lets engines run whom the old driver had told to go, but not those of a context that was", async () => {
    const { store, token } = await open();
    const engine = await TestEngine.join(store, "engine01", "ctx");
    const other = await TestEngine.join(store, "engine02", "other");
    await store.order(token, { kind: "context", context: other.context }, "drain");
    await store.order(token, { kind: "run" }, "stop");
    await store.takeOver();
    const wanted = async (of: TestEngine) =>
      (await store.renew({ engine: of.id, counter: 1, stats: bytes("") })).wanted;
    expect(await wanted(engine)).toBe("run");
    expect(await wanted(other)).toBe("drain");
    expect((await TestEngine.join(store, "engine03")).id).toBe("engine03");
  });

  it("a withdrawal of before is none of the new driver's", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, [task(0)]);
    expect(await store.withdraw(token, task(0))).toBe(true);
    const taken = await store.takeOver();
    expect(await store.withdraw(taken?.token ?? 0, task(0))).toBe(false);
  });
}
