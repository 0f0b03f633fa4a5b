import { FencedError, type FencingToken, KvsLostError, type KvsStore } from "@taskmuster/kvs";
import type { AnnounceRequest, RemainingEngine, RunId } from "@taskmuster/kvs/protocol";
import { contextId, taskId } from "@taskmuster/kvs/protocol";
import { expect, it } from "vitest";
import { TestEngine, bytes, enrol, ids, isRung, narrow, reportTexts, task, tasks, wide } from "../actors.js";
import { freshRunId } from "../world.js";
import type { Bench } from "./bench.js";

/** What is remembered of an engine, as a driver does. */
function remains(engine: TestEngine, options: Partial<RemainingEngine> = {}): RemainingEngine {
  const { id, context } = engine;
  const [info, stats] = [bytes(`info of ${id}`), bytes("stats")];
  return { engine: id, context, rank: 3, info, renewal: 7, stats, wanted: "run", ...options };
}

function announcement(engine: TestEngine, options: Partial<AnnounceRequest> = {}): AnnounceRequest {
  return {
    engine: engine.id,
    context: engine.context,
    info: bytes(`info of ${engine.id}`),
    rank: 3,
    seq: 5,
    acknowledged: 0,
    claimed: 0,
    claims: [],
    last: true,
    ...options,
  };
}

/** A run comes back in a store that has forgotten it: `open` with what is known, `restore`, `announce`. */
export function returningSuite({ connect, open }: Bench): void {
  const above = { above: 4, nonce: "mine", ranks: 2 };
  /** A store that never had the run is as good as one that has forgotten it. */
  const reopened = async (): Promise<{ run: RunId; store: KvsStore; token: FencingToken }> => {
    const run = freshRunId();
    const store = await connect(run);
    return { run, store, token: await store.open(bytes("info"), above) };
  };

  it("is opened with a higher token than is known, once for each nonce, and not where another was faster", async () => {
    const { run, store, token } = await reopened();
    expect(token).toBe(5);
    expect(await store.open(bytes("info"), above)).toBe(5);
    const other = await connect(run);
    await expect(other.open(bytes("info"), { ...above, nonce: "another" })).rejects.toThrow(FencedError);
    await expect(other.open(bytes("info"), { ...above, above: 9, nonce: "another" })).rejects.toThrow(
      FencedError,
    );
    await store.beat(token, { state: bytes(""), handled: 0 });
    // Whoever takes over need not have been there before.
    expect(await other.open(bytes("info"), { above: 7, nonce: null, ranks: 0 })).toBe(8);
    expect(await other.open(bytes("info"))).toBe(9);
    await expect(store.open(bytes("info"), above)).rejects.toThrow(FencedError);
  });

  it("gives no rank away that was in use", async () => {
    const { store, token } = await reopened();
    const first = await TestEngine.join(store, "engine01");
    const old = await TestEngine.join(await connect(freshRunId()), "engine02");
    await store.restore(token, [], [remains(old, { rank: 6 })]);
    expect(await first.join()).toMatchObject({ rank: 2 });
    expect(await (await TestEngine.join(store, "engine03")).join()).toMatchObject({ rank: 7 });
    await store.announce(
      announcement(await TestEngine.join(await connect(freshRunId()), "engine04"), { rank: 9 }),
    );
    expect(await (await TestEngine.join(store, "engine05")).join()).toMatchObject({ rank: 10 });
  });

  it("awaits engines that are remembered: they can do nothing before they have announced themselves", async () => {
    const { run, store, token } = await reopened();
    const engine = await TestEngine.join(await connect(freshRunId()), "engine01");
    const same = Object.assign(engine, { store: await connect(run) });
    await store.publish(token, 1, tasks(10, 19));
    await store.restore(token, [], [remains(engine, { wanted: "drain" })]);
    expect(await isRung(store, engine.id)).toBe(true);
    const [seen] = (await store.snapshot()).engines;
    expect(seen).toMatchObject({ engine: engine.id, rank: 3, renewal: 7, wanted: "drain", claims: 0 });
    expect(seen).toMatchObject({ state: "member", awaited: true, greeted: true });
    for (const verb of [
      () => same.claim(1),
      () => store.renew({ engine: engine.id, counter: 8, stats: bytes("") }),
      () => store.leave(engine.id, "done"),
    ])
      await expect(verb()).rejects.toMatchObject({ name: "KvsLostError", loss: "forgotten" });
    expect(await store.greet(token, engine.id)).toEqual({ announced: null, claimed: 0 });
    expect((await store.snapshot()).queued).toBe(10);
  });

  it("takes an engine back with its claims, and shows the driver what it announced whatever comes after", async () => {
    const { store, token } = await reopened();
    const engine = await TestEngine.join(await connect(freshRunId()), "engine01");
    Object.assign(engine, { store, seq: 6, reports: 20 });
    await store.restore(token, [], [remains(engine)]);
    await store.publish(token, 1, tasks(10, 11));
    await isRung(store, "driver");
    const first = announcement(engine, {
      claims: [task(3), task(1, { tries: 2 })],
      last: false,
      acknowledged: 20,
    });
    expect(await store.announce(first)).toMatchObject({
      kind: "announced",
      acknowledged: 20,
      needs: [narrow],
    });
    expect((await store.snapshot()).engines[0]).toMatchObject({ awaited: true, claims: 2 });
    await expect(engine.claim(1)).rejects.toThrow(KvsLostError);
    expect(await isRung(store, "driver")).toBe(false);

    engine.seq = 6;
    const second = { ...first, seq: 6, claimed: 9, claims: [task(2)], last: true };
    expect(await store.announce(second)).toMatchObject({ kind: "announced", wanted: "run" });
    expect(await isRung(store, "driver")).toBe(true);
    expect((await store.snapshot()).engines[0]).toMatchObject({ awaited: false, greeted: false, claims: 3 });
    // It reports one, gives one back and claims another, before the driver looks.
    await engine.exchange({
      reports: [{ number: 21, ends: taskId(1), body: bytes("end of 1") }],
      releases: [task(2)],
    });
    expect(ids(await engine.claim(1))).toEqual([2]);
    const held = [
      { id: 1, attempt: 2 },
      { id: 2, attempt: 1 },
      { id: 3, attempt: 1 },
    ];
    expect(await store.greet(token, engine.id)).toEqual({ announced: held, claimed: 9 });
    expect(await store.greet(token, engine.id)).toEqual({ announced: held, claimed: 9 });
    expect((await store.snapshot()).engines[0]).toMatchObject({ greeted: true, claims: 2 });
    expect(reportTexts((await store.receive(token, 9)).reports)).toEqual(["engine01/21 end of 1"]);
    expect(await store.expel(token, engine.id, "lost")).toEqual([
      { id: 2, attempt: 1 },
      { id: 3, attempt: 1 },
    ]);
  });

  it("changes nothing when a part of an announcement comes again, even late", async () => {
    const { store, token } = await reopened();
    const engine = await TestEngine.join(await connect(freshRunId()), "engine01");
    Object.assign(engine, { store, seq: 5 });
    const request = announcement(engine, { claims: [task(1)] });
    await store.announce(request);
    await store.announce(request);
    await engine.finish(1);
    expect(await store.announce(request)).toMatchObject({ kind: "announced", acknowledged: 0 });
    expect((await store.snapshot()).engines).toMatchObject([{ claims: 0, awaited: false }]);
    expect(reportTexts((await store.receive(token, 9)).reports)).toEqual(["engine01/1 end of 1"]);
    await store.acknowledge(token, 1);
    expect(await store.announce(request)).toMatchObject({ acknowledged: 1 });
  });

  it("takes back an engine that nobody remembers, under the orders of now, and says that it is not known", async () => {
    const { store, token } = await reopened();
    await store.order(token, { kind: "context", context: contextId("ctx") }, "drain");
    const engine = await TestEngine.join(await connect(freshRunId()), "engine01");
    expect(await store.announce(announcement(engine, { claims: [task(1)] }))).toMatchObject({
      wanted: "drain",
    });
    const renewal = { engine: engine.id, counter: 8, stats: bytes("") };
    expect(await store.renew(renewal)).toMatchObject({ greeted: false });
    await store.greet(token, engine.id);
    expect(await store.renew(renewal)).toMatchObject({ greeted: true });
    // Before the driver had told what it remembers.
    await store.restore(token, [], [remains(engine, { wanted: "stop" })]);
    expect(await store.renew(renewal)).toMatchObject({ wanted: "stop" });
    expect((await store.snapshot()).engines).toMatchObject([{ claims: 1, awaited: false, renewal: 8 }]);
  });

  it("lets others have what an engine gives back, though nothing of its kind was published yet", async () => {
    const { store } = await reopened();
    const idle = await TestEngine.join(store, "engine02");
    expect((await idle.exchange({ idleSlots: 1 })).needs).toEqual([]);
    const engine = await TestEngine.join(await connect(freshRunId()), "engine01");
    Object.assign(engine, { store, seq: 5 });
    const ended = task(2, { needs: wide, body: bytes("") });
    expect(await store.announce(announcement(engine, { claims: [task(1), ended] }))).toMatchObject({
      needs: [narrow],
    });
    await engine.exchange({ releases: [task(1)] });
    expect(await isRung(store, idle.id)).toBe(true);
    expect((await idle.exchange()).needs).toEqual([narrow]);
    expect(ids(await idle.claim(1))).toEqual([1]);
  });

  it("has nothing for an engine that comes back too late", async () => {
    const { store, token } = await reopened();
    const engine = await TestEngine.join(await connect(freshRunId()), "engine01");
    Object.assign(engine, { store, seq: 5 });
    await store.restore(token, [], [remains(engine)]);
    expect(await store.expel(token, engine.id, "its lease ran out")).toEqual([]);
    expect(await store.announce(announcement(engine, { claims: [task(1)] }))).toMatchObject({
      wanted: "stop",
    });
    expect((await store.snapshot()).engines).toMatchObject([{ state: "expelled", claims: 0 }]);
    // What it has to say is heard.
    expect(await engine.finish(1)).toMatchObject({ wanted: "stop" });
    expect((await store.receive(token, 9)).reports).toHaveLength(1);
  });

  it("tells an engine to wait where the run is not there (yet)", async () => {
    const store = await connect(freshRunId());
    const engine = await TestEngine.join(store, "engine01");
    expect(await store.announce(announcement(engine))).toEqual({ kind: "noRun" });
    const { store: other } = await open();
    expect(await other.greet(1, engine.id)).toBeNull();
  });

  it("knows contexts again by their nonce, with what is granted of their limit, bit by bit", async () => {
    const { store, token } = await reopened();
    const info = bytes("info of ctx");
    const ctx = { context: contextId("ctx"), nonce: "nonce of ctx", info, wanted: "run" } as const;
    const free = { ...ctx, context: contextId("free"), nonce: "nonce of free", wanted: "drain" } as const;
    await store.restore(
      token,
      [
        { ...ctx, granted: 0 },
        { ...free, granted: null },
      ],
      [],
    );
    const credits = async () => (await store.snapshot()).contexts.map(({ credit }) => credit);
    expect(await credits()).toEqual([0, null]);
    expect((await store.snapshot()).contexts[1]).toMatchObject({
      nonce: free.nonce,
      wanted: "drain",
      rank: 1,
    });
    expect(await enrol(store, "ctx", { limit: 10 })).toMatchObject({
      kind: "enrolled",
      context: "ctx",
      rank: 0,
    });
    expect(await credits()).toEqual([0, null]);

    const engine = await TestEngine.join(store, "engine01");
    await store.publish(token, 1, tasks(0, 9));
    expect(ids(await engine.claim(3))).toEqual([]);
    await isRung(store, engine.id);
    await store.restore(token, [{ ...ctx, granted: 2 }], []);
    expect(await isRung(store, engine.id)).toBe(true);
    await store.restore(token, [{ ...ctx, granted: 2 }], []);
    expect(ids(await engine.claim(3))).toEqual([0, 1]);
    expect(await credits()).toEqual([0, null]);
    await store.restore(token, [{ ...ctx, granted: 3 }], []);
    expect(await credits()).toEqual([1, null]);
    // Fewer than it has claimed.
    await store.restore(token, [{ ...ctx, granted: 1 }], []);
    expect(await credits()).toEqual([0, null]);
  });

  it("does not grant a context twice what it was granted when it enrolled by itself", async () => {
    const { store, token } = await reopened();
    await enrol(store, "ctx", { limit: 10 });
    const ctx = {
      context: contextId("ctx"),
      nonce: "nonce of ctx",
      info: bytes("old"),
      wanted: "run",
    } as const;
    await store.restore(token, [{ ...ctx, granted: 0 }], []);
    expect((await store.snapshot()).contexts).toMatchObject([{ credit: 0 }]);
    await store.restore(token, [{ ...ctx, granted: 4 }], []);
    expect((await store.snapshot()).contexts).toMatchObject([{ credit: 4 }]);
  });
}
