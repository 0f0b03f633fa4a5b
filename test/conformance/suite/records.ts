import { KvsLostError } from "@taskmuster/kvs";
import { expect, it } from "vitest";
import { TestEngine, bytes, narrow, task, text, wide } from "../actors.js";
import type { Bench } from "./bench.js";

/** What is told of each engine, and how long it is kept. */
export function recordSuite({ world, open }: Bench): void {
  it("shows what an engine has claimed, lowest ids first", async () => {
    const { store, token } = await open();
    const odd = task(3, { tries: 2, needs: wide, body: bytes("a b\n:1:\0") });
    await store.publish(token, 1, [task(10), odd, task(2), task(9)]);
    const engine = await TestEngine.join(store, "engine01");
    await engine.claim(9, {
      wants: [
        { needs: narrow, max: 3 },
        { needs: wide, max: 3 },
      ],
    });
    const claims = async (max: number) =>
      (await store.claimsOf(engine.id, max)).map((each) => ({ ...each, body: text(each.body) }));
    expect(await claims(9)).toEqual([
      { ...task(2), body: "task 2" },
      { ...odd, body: text(odd.body) },
      { ...task(9), body: "task 9" },
      { ...task(10), body: "task 10" },
    ]);
    expect((await claims(2)).map(({ id }) => id)).toEqual([2, 3]);
    expect(await claims(0)).toEqual([]);
    await engine.finish(2, 9);
    expect((await claims(9)).map(({ id }) => id)).toEqual([3, 10]);
    await store.expel(token, engine.id, "lost");
    expect(await claims(9)).toEqual([]);
    expect(await store.claimsOf("stranger0" as typeof engine.id, 9)).toEqual([]);
  });

  it("forgets engines that are long gone, and whose reports nobody needs", async () => {
    const { run, store, token } = await open();
    await store.publish(token, 1, [task(0)]);
    const first = await TestEngine.join(store, "engine000");
    const second = await TestEngine.join(store, "engine001");
    await TestEngine.join(store, "engine002");
    await first.claim(1);
    await store.expel(token, first.id, "lost");
    await second.exchange({ reports: [{ number: 1, ends: null, body: bytes("unread") }] });
    await store.leave(second.id, "done");
    const pass = async (from: number, to: number) => {
      for (let at = from; at <= to; at++) {
        const engine = await TestEngine.join(store, `engine${String(at).padStart(3, "0")}`);
        if (at % 2 === 0) await store.leave(engine.id, "done");
        else await store.expel(token, engine.id, "lost");
      }
    };
    const ranks = async () => (await store.snapshot()).engines.map(({ rank }) => rank);
    await pass(3, 200);
    expect(await ranks()).toHaveLength(201);
    await pass(201, 201);
    expect((await ranks()).slice(0, 3)).toEqual([1, 2, 3]);
    // The driver has not read what the next one reported.
    await pass(202, 209);
    expect((await ranks()).slice(0, 3)).toEqual([1, 2, 3]);
    await store.acknowledge(token, 1);
    await pass(210, 210);
    const kept = await ranks();
    expect(kept.slice(0, 3)).toEqual([2, 11, 12]);
    expect(kept).toHaveLength(201);

    // Should one of them still live, it learns that it is none of us.
    for (const { id } of [first, second]) {
      await expect(store.renew({ engine: id, counter: 9, stats: bytes("") })).rejects.toThrow(KvsLostError);
    }
    await expect(first.exchange()).rejects.toThrow(/does not know this engine/);
    await expect(store.leave(first.id, "done")).rejects.toThrow(KvsLostError);
    expect(await store.expel(token, first.id, "lost")).toEqual([]);
    await store.order(token, { kind: "engine", engine: first.id }, "stop");
    expect(await ranks()).toEqual(kept);
    // Ranks are not used again.
    expect(await (await TestEngine.join(store, "engine999")).join()).toMatchObject({ rank: 211 });

    await store.close(token);
    expect(await world().leftovers(run)).toEqual([]);
  });
}
