import { FencedError, KvsClosedError, KvsLostError } from "@taskmuster/kvs";
import { engineId } from "@taskmuster/kvs/protocol";
import { expect, it } from "vitest";
import { quietBeat } from "../../../packages/kvs/test/quiet-beat.js";
import { TestEngine, bytes, enrol, ids, task, tasks, text } from "../actors.js";
import { freshRunId } from "../world.js";
import type { Bench } from "./bench.js";

export function runSuite({ world, connect, open }: Bench): void {
  it("tells an engine that there is no run before it was opened", async () => {
    const store = await connect(freshRunId());
    const engine = await TestEngine.join(store, "engine01");
    expect(await engine.join()).toEqual({ kind: "noRun" });
    await expect(engine.exchange()).rejects.toThrow(KvsLostError);
    await expect(store.renew({ engine: engine.id, counter: 1, stats: bytes("") })).rejects.toThrow(
      KvsLostError,
    );
    expect(await store.snapshot()).toMatchObject({ open: false, queued: 0, contexts: [], engines: [] });
    expect(await enrol(store, "ctx")).toEqual({ kind: "noRun" });
    expect(await store.ask(bytes("please"))).toBe(false);
    expect(await store.claimsOf(engine.id, 9)).toEqual([]);
  });

  it("shows an opened run", async () => {
    const { store, token } = await open();
    const { state, ...rest } = await store.snapshot();
    expect(text(state)).toBe("");
    expect(rest).toEqual({
      open: true,
      token,
      driverBeat: 0,
      queued: 0,
      reports: 0,
      wanted: "run",
      contexts: [],
      engines: [],
    });
  });

  it("hands a run over with all that it holds, and a higher token", async () => {
    const { run, store, token } = await open();
    await store.publish(token, 1, tasks(0, 3));
    const engine = await TestEngine.join(store, "engine01");
    await engine.claim(2);
    await engine.finish(0);

    const second = await connect(run);
    const higher = await second.open(bytes("new info"));
    expect(higher).toBeGreaterThan(token);
    const { from, reports } = await second.receive(higher, 10);
    expect({ from, reports: reports.length }).toEqual({ from: 0, reports: 1 });
    expect(await second.snapshot()).toMatchObject({ token: higher, queued: 2, reports: 1 });
    const joined = await engine.join();
    expect(joined.kind === "joined" && text(joined.runInfo)).toBe("new info");
    await second.publish(higher, 1, [task(9)]);
    expect(ids(await engine.claim(9))).toEqual([2, 3, 9]);
  });

  it("refuses every verb of a driver whose token is no longer the run's", async () => {
    const { run, store, token } = await open();
    await (await connect(run)).open(bytes(""));
    const member = engineId("engine01");
    const verbs = [
      () => store.publish(token, 1, [task(0)]),
      () => store.restore(token, [], []),
      () => store.greet(token, member),
      () => store.withdraw(token, task(0)),
      () => store.receive(token, 1),
      () => store.acknowledge(token, 1),
      () => store.order(token, { kind: "run" }, "stop"),
      () => store.expel(token, member, "lease"),
      () => store.beat(token, quietBeat),
      () => store.post(token, "key", "value"),
      () => store.close(token),
    ];
    for (const verb of verbs) await expect(verb()).rejects.toThrow(FencedError);
    expect(await store.snapshot()).toMatchObject({ open: true, queued: 0, wanted: "run", driverBeat: 0 });
  });

  it("refuses a token that was never given", async () => {
    const { store, token } = await open();
    await expect(store.beat(token + 1, quietBeat)).rejects.toThrow(FencedError);
  });

  it("leaves nothing behind when it is closed, and nothing of others touched", async () => {
    const other = await open();
    await other.store.publish(other.token, 1, [task(0)]);
    const before = await world().leftovers(other.run);

    const { run, store, token } = await open();
    const engine = await TestEngine.join(store, "engine01");
    const idle = await TestEngine.join(store, "engine02");
    const lost = await TestEngine.join(store, "engine03");
    await lost.claim(1);
    await idle.claim(4);
    await enrol(store, "ctx", { limit: 10 });
    await store.ask(bytes("please"));
    await store.publish(token, 1, tasks(0, 9));
    await engine.claim(2);
    await lost.claim(1);
    await engine.finish(0);
    await store.withdraw(token, task(9));
    await store.expel(token, lost.id, "lease");
    await store.order(token, { kind: "context", context: engine.context }, "drain");
    await store.post(token, "key", "1");
    await store.beat(token, quietBeat);
    expect(await world().leftovers(run)).not.toEqual([]);

    await store.close(token);
    expect(await world().leftovers(run)).toEqual([]);
    expect(await world().leftovers(other.run)).toEqual(before);
    await store.close(token);

    expect(await engine.join()).toEqual({ kind: "noRun" });
    expect(await enrol(store, "ctx")).toEqual({ kind: "noRun" });
    expect(await store.ask(bytes("please"))).toBe(false);
    await expect(engine.exchange()).rejects.toThrow(/run is over/);
    await expect(engine.exchange()).rejects.toThrow(KvsLostError);
    await expect(store.renew({ engine: engine.id, counter: 1, stats: bytes("") })).rejects.toThrow(
      KvsLostError,
    );
    await expect(store.leave(engine.id, "done")).rejects.toThrow(KvsLostError);
    await expect(store.beat(token, quietBeat)).rejects.toThrow(KvsLostError);
    expect(await store.snapshot()).toMatchObject({ open: false });
    expect(await world().leftovers(run)).toEqual([]);
  });

  it("counts as lost when the server has forgotten everything", async () => {
    const { run, store, token } = await open();
    await store.publish(token, 1, [task(0)]);
    const engine = await TestEngine.join(await connect(run), "engine01");
    const waiting = engine.store.waitForBell(engine.id, 20_000);
    const waited = expect(waiting).rejects.toThrow(KvsLostError);
    await world().forget();
    await waited;
    await expect(engine.claim(1)).rejects.toThrow(/restarted or replaced/);
    await expect(engine.claim(1)).rejects.toThrow(KvsLostError);
    await expect(engine.join()).rejects.toThrow(KvsLostError);
    await expect(enrol(store, "ctx")).rejects.toThrow(KvsLostError);
    await expect(store.ask(bytes("please"))).rejects.toThrow(KvsLostError);
    await expect(store.claimsOf(engine.id, 1)).rejects.toThrow(KvsLostError);
    await expect(store.beat(token, quietBeat)).rejects.toThrow(KvsLostError);
    await expect(store.open(bytes(""))).rejects.toThrow(KvsLostError);
    await expect(store.snapshot()).rejects.toThrow(KvsLostError);

    // Whoever connects anew finds an empty store.
    const newcomer = await connect(run);
    expect(await newcomer.snapshot()).toMatchObject({ open: false });
    const newToken = await newcomer.open(bytes("again"));
    await newcomer.publish(newToken, 7, [task(0, { tries: 2 })]);
    const rejoined = await TestEngine.join(await connect(run), "engine01");
    rejoined.seq = 100;
    expect(ids(await rejoined.claim(1))).toEqual([0]);
    await expect(engine.claim(1)).rejects.toThrow(KvsLostError);
  });

  it("answers nothing after it was disconnected", async () => {
    const { run, token } = await open();
    const store = await connect(run);
    const waiting = expect(store.waitForBell("driver", 20_000)).rejects.toThrow(KvsClosedError);
    await store.disconnect();
    await store.disconnect();
    await waiting;
    await expect(store.beat(token, quietBeat)).rejects.toThrow(KvsClosedError);
    await expect(store.snapshot()).rejects.toThrow(KvsClosedError);
    await expect(store.waitForBell("driver", 1)).rejects.toThrow(KvsClosedError);
  });

  it("posts values for other programs, each once", async () => {
    const { run, store, token } = await open();
    await store.post(token, "key one", "5");
    await store.post(token, "key one", "5");
    await store.post(token, "key one", "9");
    await store.post(token, "other", "9");
    expect(await world().posted(run, "key one")).toEqual(["5", "9"]);
    expect(await world().posted(run, "other")).toEqual(["9"]);
  });
}
