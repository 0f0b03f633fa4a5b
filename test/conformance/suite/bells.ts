import { expect, it } from "vitest";
import { TestEngine, enrol, ids, isRung, narrow, task, tasks } from "../actors.js";
import type { Bench } from "./bench.js";

export function bellSuite({ connect, open }: Bench): void {
  /** Engines with so many free slots each that have asked and got nothing. */
  async function idlers(
    store: TestEngine["store"],
    slots: readonly number[],
    context = "ctx",
  ): Promise<TestEngine[]> {
    const engines: TestEngine[] = [];
    for (const [index, free] of slots.entries()) {
      const engine = await TestEngine.join(store, `${context.slice(0, 3)}idler${index}`, context);
      await engine.claim(free);
      engines.push(engine);
    }
    return engines;
  }

  async function rung(engines: readonly TestEngine[]): Promise<boolean[]> {
    const answers: boolean[] = [];
    for (const engine of engines) answers.push(await isRung(engine.store, engine.id));
    return answers;
  }

  it("waits no longer than it was told to", async () => {
    const { store } = await open();
    expect(await store.waitForBell("driver", 20)).toBe("timeout");
    expect(await store.waitForBell("driver", 0)).toBe("timeout");
  });

  it("wakes who waits, at once", async () => {
    const { run, store, token } = await open();
    const [idle] = await idlers(await connect(run), [1]);
    if (idle === undefined) throw new Error("no engine");
    const waiting = idle.store.waitForBell(idle.id, 20_000);
    await store.publish(token, 1, [task(0)]);
    expect(await waiting).toBe("rung");
    expect(ids(await idle.claim(1))).toEqual([0]);
  });

  it("remembers a ring that nobody waited for, once", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, [task(0)]);
    const one = await TestEngine.join(store, "engine01");
    await TestEngine.join(store, "engine02");
    await one.claim(1);
    await one.finish(0);
    expect(await isRung(store, "driver")).toBe(true);
    expect(await isRung(store, "driver")).toBe(false);
  });

  it("rings only as many idle engines as the tasks can occupy, the freest first", async () => {
    const { store, token } = await open();
    const engines = await idlers(store, [2, 4, 1, 3]);
    await store.publish(token, 1, tasks(0, 4));
    expect(await rung(engines)).toEqual([false, true, false, true]);
    await store.publish(token, 2, [task(5)]);
    expect(await rung(engines)).toEqual([true, false, false, false]);
    await store.publish(token, 3, tasks(6, 20));
    expect(await rung(engines)).toEqual([false, false, true, false]);
    await store.publish(token, 4, [task(21)]);
    expect(await rung(engines)).toEqual([false, false, false, false]);
  });

  it("wakes one of a thousand and leaves the others asleep", async () => {
    const { store, token } = await open();
    const engines = await idlers(
      store,
      Array.from({ length: 200 }, () => 1),
    );
    await store.publish(token, 1, [task(0)]);
    expect((await rung(engines)).filter(Boolean)).toHaveLength(1);
  });

  it("does not ring an engine whose slots are taken", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 2));
    const [busy] = await idlers(store, [3]);
    await store.publish(token, 2, tasks(3, 4));
    expect(await rung(busy === undefined ? [] : [busy])).toEqual([false]);
  });

  it("rings an engine that knew no needs yet", async () => {
    const { store, token } = await open();
    const engine = await TestEngine.join(store, "engine01");
    await engine.exchange({ wants: [], idleSlots: 4 });
    await store.publish(token, 1, [task(0)]);
    expect(await isRung(store, engine.id)).toBe(true);
    expect((await engine.exchange({ wants: [], idleSlots: 4 })).needs).toEqual([narrow]);
  });

  it("rings nobody for a publish that is a repetition", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, [task(0)]);
    const engines = await idlers(store, [5]);
    await store.publish(token, 1, [task(0)]);
    expect(await rung(engines)).toEqual([false]);
  });

  it("rings an engine itself that maxBytes stopped with slots free", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 3));
    const engine = await TestEngine.join(store, "engine01");
    await engine.claim(4, { maxBytes: 13 });
    expect(await isRung(store, engine.id)).toBe(true);
  });

  it("rings others for what an engine gives back", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 1));
    const gives = await TestEngine.join(store, "engine01");
    const { tasks: claimed } = await gives.claim(2);
    const engines = await idlers(store, [1, 1, 1]);
    await gives.exchange({ releases: claimed });
    expect((await rung(engines)).filter(Boolean)).toHaveLength(2);
    expect(await isRung(store, gives.id)).toBe(false);
  });

  it("rings another when the one that was rung does not take the task", async () => {
    const { store, token } = await open();
    const [freest, next] = await idlers(store, [2, 1]);
    if (freest === undefined || next === undefined) throw new Error("no engines");
    await store.publish(token, 1, [task(0)]);
    expect(await rung([freest, next])).toEqual([true, false]);
    await store.order(token, { kind: "engine", engine: freest.id }, "drain");
    await freest.claim(2);
    expect(await isRung(store, next.id)).toBe(true);
    expect(ids(await next.claim(1))).toEqual([0]);
  });

  it("rings another when the one that was rung leaves or is expelled", async () => {
    const { store, token } = await open();
    const [first, second, third] = await idlers(store, [3, 2, 1]);
    if (first === undefined || second === undefined || third === undefined) throw new Error("no engines");
    await store.publish(token, 1, [task(0)]);
    expect(await rung([first, second, third])).toEqual([true, false, false]);
    await store.leave(first.id, "done");
    expect(await rung([first, second, third])).toEqual([false, true, false]);
    await store.expel(token, second.id, "lease");
    expect(await rung([second, third])).toEqual([true, true]);
  });

  it("does not pass a ring on for tasks that fit nobody", async () => {
    const { store, token } = await open();
    const engines = await idlers(store, [2, 1]);
    await store.publish(token, 1, [task(0, { needs: "c8" as typeof narrow })]);
    expect(await rung(engines)).toEqual([true, false]);
    await engines[0]?.claim(2);
    expect(await rung(engines)).toEqual([false, false]);
  });

  it("does not waste a ring on an engine whose context has no credit left", async () => {
    const { store, token } = await open();
    await enrol(store, "poor", { limit: 1 });
    const [a, b] = await idlers(store, [8, 7], "poor");
    const rich = await idlers(store, [1, 1], "rich");
    if (a === undefined || b === undefined) throw new Error("no engines");
    // One credit: one of the poor is rung, and then for one task only.
    await store.publish(token, 1, tasks(0, 2));
    expect(await rung([a, b, ...rich])).toEqual([true, false, true, true]);
    const { tasks: claimed } = await a.claim(8);
    expect(claimed).toHaveLength(1);
    for (const engine of rich) await engine.claim(1);
    await store.publish(token, 2, [task(3)]);
    expect(await rung([a, b, ...rich])).toEqual([false, false, false, false]);
    // Its credit comes back with what was not started.
    await a.exchange({ releases: claimed });
    expect(await rung([a, b])).toEqual([false, true]);
    expect(ids(await b.claim(7))).toEqual([claimed[0]?.id]);
    await store.publish(token, 3, [task(4)]);
    expect(await rung([a, b])).toEqual([false, false]);
  });
}
