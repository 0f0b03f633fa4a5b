import { KvsError } from "@taskmuster/kvs";
import { expect, it } from "vitest";
import { quietBeat } from "../../../packages/kvs/test/quiet-beat.js";
import { TestEngine, bytes, text } from "../actors.js";
import type { Bench } from "./bench.js";

/** What the driver tells of itself with its beat, and what it hears then. */
export function driverNewsSuite({ connect, open }: Bench): void {
  it("counts the beats of the driver", async () => {
    const { store, token } = await open();
    const engine = await TestEngine.join(store, "engine01");
    const beat = async () =>
      (await store.renew({ engine: engine.id, counter: 1, stats: bytes("") })).driverBeat;
    const before = await beat();
    await store.beat(token, quietBeat);
    expect(await beat()).not.toBe(before);
    expect((await store.snapshot()).driverBeat).toBe(await beat());
  });

  it("shows the last state that the driver told, however many beats ago", async () => {
    const { run, store, token } = await open();
    const state = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256));
    await store.beat(token, { state: bytes("first"), handled: 0 });
    await store.beat(token, { state, handled: 0 });
    await store.beat(token, quietBeat);
    expect(Buffer.from((await store.snapshot()).state)).toEqual(state);
    // Also while one driver hands over to the next.
    await store.open(bytes("info"));
    expect(Buffer.from((await (await connect(run)).snapshot()).state)).toEqual(state);
  });

  it("hands requests to the driver, again and again until it has dealt with them", async () => {
    const { run, store, token } = await open();
    const asking = await connect(run);
    expect(await store.beat(token, quietBeat)).toEqual({ from: 0, requests: [] });
    const odd = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    for (const request of [bytes("0"), odd, bytes("2")]) expect(await asking.ask(request)).toBe(true);
    const beat = async (handled: number) => {
      const { from, requests } = await store.beat(token, { state: bytes(""), handled });
      return { from, requests: requests.map(text) };
    };
    const all = { from: 0, requests: ["0", text(odd), "2"] };
    expect(await beat(0)).toEqual(all);
    expect(await beat(0)).toEqual(all);
    expect(await beat(2)).toEqual({ from: 2, requests: ["2"] });
    // A repetition, or one that was overtaken, brings nothing back.
    expect(await beat(2)).toEqual({ from: 2, requests: ["2"] });
    expect(await beat(1)).toEqual({ from: 2, requests: ["2"] });
    expect(await beat(3)).toEqual({ from: 3, requests: [] });
    await asking.ask(bytes("3"));
    expect(await beat(3)).toEqual({ from: 3, requests: ["3"] });
    // A driver that takes over counts from 0, and learns where the requests begin.
    const higher = await store.open(bytes("info"));
    expect((await store.beat(higher, quietBeat)).from).toBe(3);
    expect((await store.beat(higher, { state: bytes(""), handled: 99 })).from).toBe(4);
    await asking.ask(bytes("4"));
    const { from, requests } = await store.beat(higher, quietBeat);
    expect({ from, requests: requests.map(text) }).toEqual({ from: 4, requests: ["4"] });
  });

  it("takes no request that is larger than any", async () => {
    const { store, token } = await open();
    expect(await store.ask(new Uint8Array(65_536))).toBe(true);
    await expect(store.ask(new Uint8Array(65_537))).rejects.toThrow(/more than 65536 bytes/);
    expect((await store.beat(token, quietBeat)).requests).toHaveLength(1);
  });

  it("hands out at most a hundred requests, and keeps at most a thousand", async () => {
    const { store, token } = await open();
    for (let at = 0; at < 1_000; at++) await store.ask(bytes(`${at}`));
    const one = store.ask(bytes("1000"));
    await expect(one).rejects.toThrow(KvsError);
    await expect(one).rejects.toThrow(/thousand requests/);
    const seen: string[] = [];
    for (;;) {
      const { from, requests } = await store.beat(token, { state: bytes(""), handled: seen.length });
      expect(from).toBe(seen.length);
      if (requests.length === 0) break;
      expect(requests).toHaveLength(100);
      seen.push(...requests.map(text));
    }
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, at) => `${at}`));
    expect(await store.ask(bytes("1000"))).toBe(true);
  });
}
