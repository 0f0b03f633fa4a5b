import type { RenewAnswer, RenewRequest } from "@taskmuster/kvs";
import { type EngineStats, decodeEngineStats, engineId } from "@taskmuster/kvs/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Heartbeat, type Renew } from "../src/heartbeat.js";

const answer: RenewAnswer = { acknowledged: 3, wanted: "run", driverBeat: 9, greeted: true };
const stats: EngineStats = {
  state: "running",
  why: "",
  outOf: "",
  usable: 4,
  busy: 1,
  done: 2,
  failed: 0,
};

/** A store that answers renewals when it is told to. */
class Store {
  readonly requests: RenewRequest[] = [];
  #settle: ((answer: RenewAnswer | null) => void) | null = null;

  readonly renew: Renew = async (request, then) => {
    this.requests.push(request);
    const settled = new Promise<RenewAnswer | null>((resolve) => {
      this.#settle = resolve;
    });
    const given = await settled;
    if (given !== null) then(given);
  };

  async answer(after = 0, greeted = true): Promise<void> {
    await vi.advanceTimersByTimeAsync(after);
    this.#settle?.({ ...answer, greeted });
    await vi.advanceTimersByTimeAsync(0);
  }

  /** There will be no answer. */
  async fail(): Promise<void> {
    this.#settle?.(null);
    await vi.advanceTimersByTimeAsync(0);
  }
}

function started(leaseMs: number) {
  const store = new Store();
  const events: unknown[][] = [];
  const heartbeat = new Heartbeat(store.renew, engineId("engine00"), leaseMs, () => stats, {
    onAnswer: (each) => events.push(["answer", each]),
    onLease: (ms) => events.push(["lease", ms]),
  });
  heartbeat.start();
  return { store, events, heartbeat };
}

describe("Heartbeat", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("counts up, tells how the engine is, and never has two renewals under way", async () => {
    const { store, heartbeat } = started(10_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.requests).toHaveLength(1);
    await store.answer();
    await vi.advanceTimersByTimeAsync(999);
    expect(store.requests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(store.requests.map(({ counter }) => counter)).toEqual([1, 2]);
    expect(decodeEngineStats(store.requests[1]?.stats ?? new Uint8Array(0))).toEqual(stats);
    heartbeat.stop();
  });

  it("sets the fence from when the answered renewal was sent, less a margin", async () => {
    const { store, events, heartbeat } = started(10_000);
    await store.answer(4000);
    expect(events).toEqual([
      ["lease", 5000],
      ["answer", answer],
    ]);
    heartbeat.stop();
  });

  it("renews at least every five seconds", async () => {
    const { store, heartbeat } = started(300_000);
    await store.answer();
    await vi.advanceTimersByTimeAsync(5000);
    expect(store.requests).toHaveLength(2);
    heartbeat.stop();
  });

  it("tells news sooner, and once more before it leaves", async () => {
    let busy = 0;
    const store = new Store();
    const nothing = { onAnswer: () => undefined, onLease: () => undefined };
    const heartbeat = new Heartbeat(
      store.renew,
      engineId("engine00"),
      300_000,
      () => ({ ...stats, busy }),
      nothing,
    );
    heartbeat.start();
    await store.answer();
    busy = 3;
    await vi.advanceTimersByTimeAsync(2000);
    expect(store.requests).toHaveLength(2);
    await store.answer();
    await vi.advanceTimersByTimeAsync(2000);
    expect(store.requests).toHaveLength(2);
    heartbeat.stop();
    busy = 0;
    const said = [...store.requests, heartbeat.next()].map(
      (request) => decodeEngineStats(request.stats).busy,
    );
    expect(said).toEqual([0, 3, 0]);
  });

  it("says nothing after it was stopped, and leaves no timer", async () => {
    const { store, events, heartbeat } = started(10_000);
    heartbeat.stop();
    await store.answer();
    expect(events).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    const other = started(10_000);
    other.heartbeat.stop();
    await other.store.fail();
    expect(other.events).toEqual([]);
  });

  it("goes on with higher counts when it is started again, whatever becomes of what was under way", async () => {
    const { store, events, heartbeat } = started(10_000);
    heartbeat.stop();
    await store.fail();
    heartbeat.start();
    await store.answer();
    expect(events).toEqual([
      ["lease", 9000],
      ["answer", answer],
    ]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(store.requests.map(({ counter }) => counter)).toEqual([1, 2, 3]);
    heartbeat.stop();
  });

  it("has a short lease as long as the driver does not know of it", async () => {
    const { store, events, heartbeat } = started(300_000);
    await store.answer(0, false);
    await vi.advanceTimersByTimeAsync(1000);
    expect(store.requests).toHaveLength(2);
    await store.answer(0, true);
    await vi.advanceTimersByTimeAsync(4999);
    expect(store.requests).toHaveLength(2);
    const leases = events.filter(([kind]) => kind === "lease").map(([, ms]) => ms);
    expect(leases).toEqual([9000, 270_000]);
    heartbeat.stop();
  });
});
