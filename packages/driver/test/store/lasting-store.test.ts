import { FencedError, KvsClosedError } from "@taskmuster/kvs";
import { contextId, encodeContextInfo, engineId, protocolVersion } from "@taskmuster/kvs/protocol";
import { afterEach, describe, expect, it, vi } from "vitest";
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

describe("LastingStore", () => {
  afterEach(() => void vi.useRealTimers());

  it("opens the run again with a higher token, and tells before anything else is done there", async () => {
    const { server, store, token, said } = await rig();
    await store.publish(token, 1, [task(0)]);
    server.forget();
    await store.publish(token, 2, [task(1)]);
    expect(said).toEqual(["forgotten", "reopened 2"]);
    // That one is among what has to be settled.
    expect((await store.snapshot()).queued).toBe(0);
    await store.publish(token, 3, [task(2)]);
    expect((await store.snapshot()).queued).toBe(1);
    expect(store.token).toBe(2);
  });

  it("counts positions on, and acknowledges nothing there that was received before", async () => {
    const { server, store, token, engine } = await rig();
    await store.publish(token, 1, [task(0), task(1)]);
    const old = engine();
    await old.join(joining(one));
    await old.exchange(exchange(one, 1, 2));
    await old.exchange(exchange(one, 2, 0, [[1, 0]]));
    expect(await store.receive(token, 9, 0)).toMatchObject({ from: 0, reports: [{ number: 1 }] });

    server.forget();
    await store.snapshot();
    const back = engine();
    await back.announce(announcement(one, 3, [task(0), task(1)]));
    await back.exchange(exchange(one, 4, 0, [[1, 0]]));
    // What was received from the old one, and has just come to the disk.
    await store.acknowledge(token, 1);
    const received = await store.receive(token, 9, 1);
    expect(received).toMatchObject({ from: 1, reports: [{ number: 1 }] });
    await store.acknowledge(token, 2);
    expect((await back.renew({ engine: one, counter: 1, stats: info })).acknowledged).toBe(1);
  });

  it("puts back engines, contexts, orders and posts, and numbers requests on", async () => {
    const { server, store, token, engine } = await rig();
    const old = engine();
    const contextInfo = encodeContextInfo({
      version: protocolVersion,
      kind: "ssh",
      host: "h",
      pid: 1,
      startedAt: 0,
      limit: null,
      nodes: [],
      ended: "",
    });
    const request = { label: "ctx", exactLabel: false, nonce: "n", info: contextInfo, limit: null };
    await old.enrol(request);
    await old.join(joining(one));
    await old.join(joining(two, "other"));
    await old.renew({ engine: two, counter: 41, stats: Buffer.from("stats") });
    await store.snapshot();
    await store.order(token, { kind: "context", context: contextId("ctx") }, "drain");
    await store.order(token, { kind: "engine", engine: two }, "stop");
    await store.post(token, "key", "7");
    await old.ask(Buffer.from("first"));
    const beat = { state: Buffer.from("state"), handled: 0 };
    expect(await store.beat(token, beat)).toMatchObject({ from: 0, requests: [Buffer.from("first")] });

    server.forget();
    const snapshot = await store.snapshot();
    expect(snapshot.engines).toMatchObject([
      { engine: one, rank: 0, wanted: "drain", awaited: true },
      { engine: two, rank: 1, wanted: "stop", awaited: true, renewal: 41 },
    ]);
    expect(snapshot.contexts).toMatchObject([{ context: "ctx", nonce: "n", wanted: "drain" }]);
    expect(server.posted(run, "key")).toEqual(["7"]);
    const now = engine();
    expect(await now.join(joining(engineId("engine03")))).toMatchObject({ rank: 2 });
    await now.ask(Buffer.from("second"));
    expect(await store.beat(token, { ...beat, handled: 1 })).toMatchObject({
      from: 1,
      requests: [Buffer.from("second")],
    });
    await store.beat(token, { ...beat, handled: 2 });
    expect(await store.beat(token, { ...beat, handled: 2 })).toMatchObject({ from: 2, requests: [] });
    // Enrolled by the driver itself, and never looked at.
    await store.enrol({ ...request, label: "own", nonce: "own" });
    server.forget();
    expect((await store.snapshot()).contexts.map(({ context }) => context)).toEqual(["ctx", "own"]);
  });

  it("settles when each engine has announced itself, in whatever order, and the short lease is over", async () => {
    const { server, store, clock, said, announced, engine } = await rig();
    await engine().join(joining(one));
    await engine().join(joining(two));
    await store.snapshot();
    server.forget();
    expect(store.reuniting).toBe(false);
    await store.snapshot();
    expect(store.reuniting).toBe(true);
    clock.now = leaseMs;
    await engine().announce(announcement(two, 1, [task(3)]));
    await store.snapshot();
    expect(announced.get(two)).toEqual([{ id: 3, attempt: 1 }]);
    expect(said).not.toContain("settled");
    await engine().announce(announcement(one, 1, []));
    await store.snapshot();
    expect(said.at(-1)).toBe("settled");
    expect(announced.get(one)).toEqual([]);
    expect(store.reuniting).toBe(false);
  });

  it("waits no more for an engine that was lost, and takes it in no more", async () => {
    const { server, store, token, clock, said, engine } = await rig();
    await engine().join(joining(one));
    await store.snapshot();
    server.forget();
    await store.snapshot();
    clock.now = leaseMs;
    expect(await store.expel(token, one, "its lease ran out")).toEqual([]);
    await store.snapshot();
    expect(said.at(-1)).toBe("settled");
    expect(await engine().announce(announcement(one, 1, [task(3)]))).toMatchObject({ wanted: "stop" });
  });

  it("believes nothing that was announced to a life that is over", async () => {
    const { server, store, clock, said, announced, engine } = await rig();
    await engine().join(joining(one));
    await store.snapshot();
    server.forget();
    await store.snapshot();
    const middle = engine();
    await middle.announce(announcement(one, 1, [task(3)]));
    server.forget();
    clock.now = leaseMs;
    await store.snapshot();
    expect(said.filter((each) => each === "forgotten")).toHaveLength(2);
    expect(announced.size).toBe(0);
    clock.now = 2 * leaseMs;
    await store.snapshot();
    expect(said).not.toContain("settled");
    await engine().announce(announcement(one, 2, [task(3)]));
    await store.snapshot();
    expect(said.at(-1)).toBe("settled");
  });

  it("is opened once more when the server forgets while it is being put back", async () => {
    const { server, store, said, connections, engine, forgetsNext } = await rig();
    await engine().join(joining(one));
    await store.snapshot();
    server.forget();
    forgetsNext.value = true;
    const snapshot = await store.snapshot();
    expect(snapshot.engines).toMatchObject([{ engine: one, awaited: true }]);
    expect(connections).toHaveLength(2);
    expect(said).toEqual(["forgotten", "reopened 3"]);
  });

  it("counts an emptied server as one that has forgotten, though it has the same run_id", async () => {
    const { server, store, token, said } = await rig();
    server.runs.clear();
    await store.beat(token, { state: info, handled: 0 });
    expect(said).toEqual(["forgotten", "reopened 2"]);
  });

  it("does not take a run back from another driver", async () => {
    const { server, store, token, engine } = await rig();
    server.forget();
    await engine().open(info, { above: 1, nonce: "another", ranks: 0 });
    await expect(store.beat(token, { state: info, handled: 0 })).rejects.toThrow(FencedError);
    await expect(store.snapshot()).rejects.toThrow(FencedError);

    const files = await rig({
      checkOurs: () => {
        throw new FencedError();
      },
    });
    files.server.forget();
    await expect(files.store.publish(files.token, 1, [task(0)])).rejects.toThrow(FencedError);
    expect((await files.engine().snapshot()).open).toBe(false);
  });

  it("does nothing more when it is disconnected, and closes a run that is not there without a word", async () => {
    const { server, store, token } = await rig();
    server.forget();
    await store.close();
    await store.disconnect();
    await expect(store.beat(token, { state: info, handled: 0 })).rejects.toThrow(KvsClosedError);
  });

  it("tells once when a beat has no answer for long, and once when it has one", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const away: string[] = [];
    const { store, token, said, holdBeat } = await rig({ onAway: () => away.push("for a lease") });
    const answer = holdBeat();
    const beating = store.beat(token, { state: info, handled: 0 });
    await vi.advanceTimersByTimeAsync(3_500);
    expect([said, away]).toEqual([["silent"], []]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([said, away]).toEqual([["silent"], ["for a lease"]]);
    answer();
    await beating;
    expect(said).toEqual(["silent", "answers"]);
  });

  it("puts a hold back as the run's, so that it can be ended", async () => {
    const { server, store, token, engine } = await rig();
    await engine().enrol({ label: "ctx", exactLabel: true, nonce: "n", info: limited, limit: null });
    await engine().join(joining(one));
    await store.order(token, { kind: "run" }, "hold");
    expect(await store.snapshot()).toMatchObject({ wanted: "hold", engines: [{ wanted: "hold" }] });
    server.forget();
    expect(await store.snapshot()).toMatchObject({ wanted: "hold" });
    await engine().announce(announcement(one, 1, []));
    await store.order(token, { kind: "run" }, "run");
    expect(await store.snapshot()).toMatchObject({
      wanted: "run",
      contexts: [{ wanted: "run" }],
      engines: [{ wanted: "run" }],
    });
  });
});
