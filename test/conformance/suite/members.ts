import { contextId } from "@taskmuster/kvs/protocol";
import { expect, it } from "vitest";
import { TestEngine, bytes, ids, isRung, reportTexts, task, tasks, text } from "../actors.js";
import type { Bench } from "./bench.js";

export function memberSuite({ open }: Bench): void {
  it("numbers engines in the order of joining, each once", async () => {
    const { store } = await open();
    const one = await TestEngine.join(store, "engineb1");
    const two = await TestEngine.join(store, "enginea2", "other ctx");
    expect(await isRung(store, "driver")).toBe(true);
    expect(await one.join()).toMatchObject({ kind: "joined", rank: 0 });
    expect(await two.join()).toMatchObject({ kind: "joined", rank: 1 });
    expect(await isRung(store, "driver")).toBe(false);
    const { engines } = await store.snapshot();
    expect(
      engines.map(({ info, stats, ...rest }) => ({ ...rest, info: text(info), stats: text(stats) })),
    ).toEqual([
      {
        engine: one.id,
        context: "ctx",
        rank: 0,
        info: "info of engineb1",
        renewal: 0,
        stats: "",
        claims: 0,
        wanted: "run",
        state: "member",
        why: "",
        awaited: false,
        greeted: false,
      },
      expect.objectContaining({ engine: two.id, context: "other ctx", rank: 1 }),
    ]);
  });

  it("takes nobody in once the run is to stop, but knows who is in", async () => {
    const { store, token } = await open();
    const one = await TestEngine.join(store, "engineb1");
    await store.order(token, { kind: "run" }, "drain");
    const two = await TestEngine.join(store, "enginea2");
    await store.order(token, { kind: "run" }, "stop");
    for (const engine of [one, two]) expect(await engine.join()).toMatchObject({ kind: "joined" });
    expect(await (await TestEngine.join(store, "enginec3")).join()).toEqual({ kind: "noRun" });
    const enrol = { label: "late", exactLabel: false, nonce: "n", info: bytes(""), limit: null };
    expect(await store.enrol(enrol)).toEqual({ kind: "noRun" });
    expect((await store.snapshot()).engines.map(({ rank }) => rank)).toEqual([0, 1]);
  });

  it("renews a lease with a higher counter only", async () => {
    const { store } = await open();
    const engine = await TestEngine.join(store, "engine01");
    const renew = (counter: number, stats: string) =>
      store.renew({ engine: engine.id, counter, stats: bytes(stats) });
    await renew(3, "new");
    await renew(2, "old");
    await renew(3, "again");
    const [seen] = (await store.snapshot()).engines;
    expect({ renewal: seen?.renewal, stats: text(seen?.stats ?? bytes("")) }).toEqual({
      renewal: 3,
      stats: "new",
    });
  });

  it("lets an engine leave once it holds no claims", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 1));
    const engine = await TestEngine.join(store, "engine01");
    await engine.claim(1);
    expect(await store.leave(engine.id, "done")).toBe(false);
    await engine.finish(0);
    await isRung(store, "driver");
    expect(await store.leave(engine.id, "done")).toBe(true);
    expect(await store.leave(engine.id, "done")).toBe(true);
    expect(await isRung(store, "driver")).toBe(true);
    expect((await store.snapshot()).engines).toMatchObject([{ state: "left", claims: 0 }]);
    expect(reportTexts((await store.receive(token, 5)).reports)).toEqual(["engine01/1 end of 0"]);
    expect(await engine.claim(1)).toMatchObject({ tasks: [], wanted: "stop" });
    expect(await store.expel(token, engine.id, "lease")).toEqual([]);
    expect((await store.snapshot()).engines).toMatchObject([{ state: "left" }]);
  });

  it("answers what an expelled engine had claimed, as often as it is asked", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, [task(7), task(0), task(3, { tries: 2 }), task(1)]);
    const engine = await TestEngine.join(store, "engine01");
    await engine.claim(3);
    await engine.finish(0);
    const claims = [
      { id: 3, attempt: 2 },
      { id: 7, attempt: 1 },
    ];
    expect(await store.expel(token, engine.id, "lease")).toEqual(claims);
    expect(await store.expel(token, engine.id, "lease")).toEqual(claims);
    expect((await store.snapshot()).engines).toMatchObject([
      { state: "expelled", claims: 0, wanted: "stop" },
    ]);
    const nobody = await TestEngine.join(store, "engine02");
    expect(await store.expel(token, nobody.id, "lease")).toEqual([]);
    expect(await store.expel(token, "stranger0" as typeof engine.id, "lease")).toEqual([]);
  });

  it("lets the lease of an engine run out only if it has not renewed since it was looked at", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, [task(0)]);
    const engine = await TestEngine.join(store, "engine01");
    const stats = new Uint8Array();
    await store.renew({ engine: engine.id, counter: 4, stats });
    await store.renew({ engine: engine.id, counter: 5, stats });
    await engine.claim(1);
    expect(await store.expire(token, engine.id, "lease", 4)).toBeNull();
    expect((await store.snapshot()).engines).toMatchObject([{ state: "member", claims: 1 }]);
    const claims = [{ id: 0, attempt: 1 }];
    expect(await store.expire(token, engine.id, "lease", 5)).toEqual(claims);
    await store.renew({ engine: engine.id, counter: 6, stats });
    expect(await store.expire(token, engine.id, "lease", 5)).toEqual(claims);
    const quiet = await TestEngine.join(store, "engine02");
    expect(await store.expire(token, quiet.id, "lease", 0)).toEqual([]);
    expect((await store.snapshot()).engines).toMatchObject([{ state: "expelled" }, { state: "expelled" }]);
  });

  it("takes the reports of an expelled engine, gives it nothing and tells it to stop", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 3));
    const zombie = await TestEngine.join(store, "engine01");
    const { tasks: claimed } = await zombie.claim(2);
    await store.expel(token, zombie.id, "lease");
    expect(await isRung(store, zombie.id)).toBe(true);

    // Its last claim, asked for again, must not be started: by now the tasks are others'.
    expect(await zombie.again()).toMatchObject({ tasks: [], wanted: "stop" });
    const answer = await zombie.finish(0);
    expect(answer).toMatchObject({ tasks: [], wanted: "stop" });
    expect(await zombie.claim(2, { releases: claimed })).toMatchObject({ tasks: [], wanted: "stop" });
    expect(await store.renew({ engine: zombie.id, counter: 9, stats: bytes("") })).toMatchObject({
      wanted: "stop",
    });
    expect(await zombie.join()).toMatchObject({ kind: "joined", rank: 0 });
    expect(await zombie.claim(2)).toMatchObject({ tasks: [], wanted: "stop" });
    expect(await store.leave(zombie.id, "done")).toBe(true);
    expect((await store.snapshot()).engines).toMatchObject([{ state: "expelled" }]);

    expect(reportTexts((await store.receive(token, 5)).reports)).toEqual(["engine01/1 end of 0"]);
    await store.acknowledge(token, 1);
    expect((await zombie.exchange()).acknowledged).toBe(1);
    // What it gave back was no longer its own.
    const healthy = await TestEngine.join(store, "engine02");
    expect(ids(await healthy.claim(9))).toEqual([2, 3]);
  });

  it("lets nobody claim while the run is on hold, takes what ended, and rings all when that is over", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 3));
    const [busy, idle] = [await TestEngine.join(store, "engine01"), await TestEngine.join(store, "engine02")];
    expect(ids(await busy.claim(1))).toEqual([0]);
    await store.order(token, { kind: "run" }, "hold");
    for (const engine of [busy, idle]) {
      expect(await store.waitForBell(engine.id, 1_000)).toBe("rung");
      expect(await engine.claim(2)).toMatchObject({ tasks: [], wanted: "hold" });
    }
    await busy.finish(0);
    expect((await store.receive(token, 9)).reports).toHaveLength(1);
    expect(await store.renew({ engine: idle.id, counter: 1, stats: bytes("") })).toMatchObject({
      wanted: "hold",
    });
    // Who joins meanwhile is no exception.
    const late = await TestEngine.join(store, "engine03");
    expect(await late.claim(1)).toMatchObject({ tasks: [], wanted: "hold" });
    expect((await store.snapshot()).queued).toBe(3);
    await store.order(token, { kind: "engine", engine: late.id }, "drain");
    expect((await late.exchange()).wanted).toBe("drain");
    await store.order(token, { kind: "run" }, "run");
    expect(await store.waitForBell(idle.id, 1_000)).toBe("rung");
    expect(ids(await idle.claim(9))).toEqual([1, 2, 3]);
  });

  it("gives the strongest order of run, context and engine", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 9));
    const one = await TestEngine.join(store, "engine01", "a");
    const two = await TestEngine.join(store, "engine02", "b");
    const wanted = async () => [(await one.exchange()).wanted, (await two.exchange()).wanted];
    expect(await wanted()).toEqual(["run", "run"]);
    await store.order(token, { kind: "context", context: contextId("a") }, "drain");
    expect(await wanted()).toEqual(["drain", "run"]);
    expect(ids(await one.claim(1))).toEqual([]);
    expect(ids(await two.claim(1))).toEqual([0]);
    await store.order(token, { kind: "engine", engine: two.id }, "stop");
    expect(await wanted()).toEqual(["drain", "stop"]);
    await store.order(token, { kind: "run" }, "drain");
    expect(await wanted()).toEqual(["drain", "stop"]);
    expect((await store.snapshot()).wanted).toBe("drain");
    expect((await store.snapshot()).engines.map((each) => each.wanted)).toEqual(["drain", "stop"]);
    expect(await store.renew({ engine: two.id, counter: 1, stats: bytes("") })).toMatchObject({
      wanted: "stop",
    });

    const late = await TestEngine.join(store, "engine03", "a");
    await store.order(token, { kind: "run" }, "run");
    expect((await late.exchange()).wanted).toBe("drain");
    await store.order(token, { kind: "context", context: contextId("a") }, "run");
    await store.order(token, { kind: "engine", engine: two.id }, "run");
    await store.order(token, { kind: "engine", engine: "stranger0" as typeof two.id }, "stop");
    expect(await wanted()).toEqual(["run", "run"]);
    expect(ids(await late.claim(1))).toEqual([1]);
  });

  it("rings those whom an order concerns", async () => {
    const { store, token } = await open();
    const one = await TestEngine.join(store, "engine01", "a");
    const two = await TestEngine.join(store, "engine02", "b");
    const gone = await TestEngine.join(store, "engine03", "b");
    await store.leave(gone.id, "done");
    const rung = async () => [
      await isRung(store, one.id),
      await isRung(store, two.id),
      await isRung(store, gone.id),
    ];
    await store.order(token, { kind: "context", context: contextId("b") }, "drain");
    expect(await rung()).toEqual([false, true, false]);
    await store.order(token, { kind: "engine", engine: one.id }, "drain");
    expect(await rung()).toEqual([true, false, false]);
    await store.order(token, { kind: "run" }, "stop");
    expect(await rung()).toEqual([true, true, false]);
  });

  it("says why an engine is no member any more", async () => {
    const { store, token } = await open();
    const lost = await TestEngine.join(store, "engine01");
    const left = await TestEngine.join(store, "engine02");
    await TestEngine.join(store, "engine03");
    const why = async () => (await store.snapshot()).engines.map((engine) => engine.why);
    expect(await why()).toEqual(["", "", ""]);
    await store.expel(token, lost.id, "its lease ran out: \u00e9 %d");
    await store.leave(left.id, "idle for 60 s");
    expect(await why()).toEqual(["its lease ran out: \u00e9 %d", "idle for 60 s", ""]);
    // The first word holds.
    await store.expel(token, lost.id, "again");
    await store.leave(lost.id, "by itself");
    await store.expel(token, left.id, "lost");
    expect(await why()).toEqual(["its lease ran out: \u00e9 %d", "idle for 60 s", ""]);
  });
}
