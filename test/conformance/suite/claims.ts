import { KvsError, KvsLostError } from "@taskmuster/kvs";
import { needsKey } from "@taskmuster/kvs/protocol";
import { expect, it } from "vitest";
import { TestEngine, bytes, ids, narrow, task, tasks, wide } from "../actors.js";
import type { Bench } from "./bench.js";

export function claimSuite({ open }: Bench): void {
  it("hands tasks out in order, each once, unchanged", async () => {
    const { store, token } = await open();
    const body = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const odd = task(7, { tries: 3, body });
    await store.publish(token, 1, [...tasks(0, 2), odd, task(8, { body: bytes("") })]);
    const one = await TestEngine.join(store, "engine01");
    const two = await TestEngine.join(store, "engine02");
    expect(ids(await one.claim(2))).toEqual([0, 1]);
    const { tasks: rest } = await two.claim(9);
    expect(rest.map((each) => ({ ...each, body: Buffer.from(each.body) }))).toEqual([
      { ...task(2), body: bytes("task 2") },
      { ...odd, body },
      { ...task(8), body: bytes("") },
    ]);
    expect(ids(await one.claim(9))).toEqual([]);
    const { queued, engines } = await store.snapshot();
    expect({ queued, claims: engines.map(({ claims }) => claims) }).toEqual({ queued: 0, claims: [2, 3] });
  });

  it("publishes once, however often the request comes", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 1));
    await store.publish(token, 1, tasks(0, 1));
    await store.publish(token, 5, [task(2)]);
    await store.publish(token, 4, [task(3)]);
    const engine = await TestEngine.join(store, "engine01");
    expect(ids(await engine.claim(9))).toEqual([0, 1, 2]);
  });

  it("publishes many at once", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 4_999));
    await store.publish(token, 2, tasks(5_000, 7_499), "front");
    const engine = await TestEngine.join(store, "engine01");
    const claimed = ids(await engine.claim(7_000));
    expect(claimed).toEqual([...tasks(5_000, 7_499), ...tasks(0, 4_499)].map(({ id }) => id));
    expect((await store.snapshot()).queued).toBe(500);
  });

  it("puts re-offers before all others", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, [...tasks(0, 1), task(20, { needs: wide })]);
    await store.publish(token, 2, [task(10), task(21, { needs: wide }), task(11)], "front");
    const engine = await TestEngine.join(store, "engine01");
    expect(ids(await engine.claim(9))).toEqual([10, 11, 0, 1]);
    expect(ids(await engine.claim(9, { wants: [{ needs: wide, max: 9 }] }))).toEqual([21, 20]);
  });

  it("keeps a queue per needs, and serves what is wanted most first", async () => {
    const { store, token } = await open();
    const engine = await TestEngine.join(store, "engine01");
    expect((await engine.exchange()).needs).toEqual([]);
    await store.publish(token, 1, [task(0), task(1, { needs: wide }), task(2), task(3, { needs: wide })]);
    const wants = [
      { needs: wide, max: 1 },
      { needs: needsKey({ cores: 3 }), max: 5 },
      { needs: narrow, max: 5 },
    ];
    const answer = await engine.claim(0, { wants });
    expect(answer.tasks.map(({ id, needs }) => [id, needs])).toEqual([
      [1, wide],
      [0, narrow],
      [2, narrow],
    ]);
    expect(answer.needs).toEqual([narrow, wide]);
    const joined = await engine.join();
    expect(joined.kind === "joined" && joined.needs).toEqual([narrow, wide]);
  });

  it("refuses a needs key that would not be one word", async () => {
    const { store, token } = await open();
    await expect(store.publish(token, 1, [task(0, { needs: "a b" as typeof narrow })])).rejects.toThrow(
      KvsError,
    );
  });

  it("answers a repeated claim with the same tasks", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, [...tasks(0, 3), task(4, { needs: wide })]);
    const engine = await TestEngine.join(store, "engine01");
    const request = {
      wants: [
        { needs: narrow, max: 2 },
        { needs: wide, max: 2 },
      ],
      idleSlots: 4,
    };
    const first = await engine.exchange(request);
    expect(ids(first)).toEqual([0, 1, 4]);
    const second = await engine.again(request);
    expect(second.tasks.map(({ body, ...rest }) => ({ ...rest, body: Buffer.from(body) }))).toEqual(
      first.tasks.map(({ body, ...rest }) => ({ ...rest, body: Buffer.from(body) })),
    );
    expect(await store.snapshot()).toMatchObject({ queued: 2 });
    expect(ids(await engine.claim(5))).toEqual([2, 3]);
    expect(ids(await engine.again())).toEqual([2, 3]);
    expect(ids(await engine.exchange())).toEqual([]);
    expect(ids(await engine.again())).toEqual([]);
  });

  it("refuses an exchange that comes after its successor", async () => {
    const { store } = await open();
    const engine = await TestEngine.join(store, "engine01");
    await engine.exchange();
    await engine.exchange();
    engine.seq = 1;
    const late = engine.again();
    await expect(late).rejects.toThrow(KvsError);
    await expect(late).rejects.toThrow(/number 2/);
  });

  it("knows only engines that have joined", async () => {
    const { store } = await open();
    const engine = await TestEngine.join(store, "engine01");
    const stranger = { ...engine.request({ seq: 1 }), engine: "stranger0" as typeof engine.id };
    await expect(store.exchange(stranger)).rejects.toThrow(KvsLostError);
    await expect(store.renew({ engine: stranger.engine, counter: 1, stats: bytes("") })).rejects.toThrow(
      /has to join/,
    );
    await expect(store.leave(stranger.engine, "done")).rejects.toThrow(/has to join/);
  });

  it("claims no more than maxBytes, but always one task", async () => {
    const { store, token } = await open();
    const sized = (id: number, size: number) => task(id, { body: Buffer.alloc(size, "x") });
    await store.publish(token, 1, [
      sized(0, 1_000),
      sized(1, 10),
      sized(2, 40),
      sized(3, 50),
      sized(4, 1),
      sized(5, 101),
    ]);
    const engine = await TestEngine.join(store, "engine01");
    expect(ids(await engine.claim(9, { maxBytes: 100 }))).toEqual([0]);
    expect(ids(await engine.claim(9, { maxBytes: 100 }))).toEqual([1, 2, 3]);
    expect(ids(await engine.claim(9, { maxBytes: 100 }))).toEqual([4]);
    expect(ids(await engine.claim(9, { maxBytes: 0 }))).toEqual([5]);
  });

  it("leaves what maxBytes cuts off in its order, also of a long claim", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 199));
    const engine = await TestEngine.join(store, "engine01");
    const claimed: number[] = [];
    for (let round = 0; round < 8; round++)
      claimed.push(...ids(await engine.claim(1_000, { maxBytes: 200 })));
    expect(claimed).toEqual(Array.from({ length: claimed.length }, (_, index) => index));
    expect(claimed.length).toBeGreaterThan(150);
  });

  it("puts what was claimed and not started back to the front, in order", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, [...tasks(0, 4), task(9, { needs: wide })]);
    const one = await TestEngine.join(store, "engine01");
    const two = await TestEngine.join(store, "engine02");
    const { tasks: claimed } = await one.claim(3);
    const request = { releases: [...claimed.slice(1), task(9, { needs: wide })] };
    await one.exchange(request);
    await one.again(request);
    expect(await store.snapshot()).toMatchObject({ queued: 5, engines: [{ claims: 1 }, { claims: 0 }] });
    expect(ids(await two.claim(9))).toEqual([1, 2, 3, 4]);
    expect(ids(await two.claim(9, { wants: [{ needs: wide, max: 9 }] }))).toEqual([9]);
  });

  it("claims again in the same exchange that gives back", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 3));
    const engine = await TestEngine.join(store, "engine01");
    const { tasks: claimed } = await engine.claim(2);
    expect(ids(await engine.claim(3, { releases: claimed }))).toEqual([0, 1, 2]);
  });

  it("withdraws what nobody has claimed, and says so again", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, [task(0), task(1), task(2, { needs: wide })]);
    const engine = await TestEngine.join(store, "engine01");
    await engine.claim(1);
    expect(await store.withdraw(token, task(0))).toBe(false);
    expect(await store.withdraw(token, task(2, { needs: wide }))).toBe(true);
    expect(await store.withdraw(token, task(1, { tries: 2 }))).toBe(false);
    expect(await store.withdraw(token, task(1))).toBe(true);
    expect(await store.withdraw(token, task(1))).toBe(true);
    expect(
      ids(
        await engine.claim(9, {
          wants: [
            { needs: narrow, max: 5 },
            { needs: wide, max: 5 },
          ],
        }),
      ),
    ).toEqual([]);
  });
}
