import type { EngineVerbs, RenewAnswer, RenewRequest } from "@taskmuster/kvs";
import { decodeEngineStats, engineId, type EngineStats } from "@taskmuster/kvs/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Heartbeat } from "../src/heartbeat.js";

const answer: RenewAnswer = { acknowledged: 3, wanted: "run", driverBeat: 9 };
const stats: EngineStats = { state: "running", why: "", busy: 1, done: 2, failed: 0 };

/** A store that answers renewals when it is told to. */
class Store {
  readonly requests: RenewRequest[] = [];
  #settle: { resolve: (answer: RenewAnswer) => void; reject: (error: Error) => void } | null = null;

  get verbs(): EngineVerbs {
    const other = (): never => {
      throw new Error("not a renewal");
    };
    const renew = (request: RenewRequest): Promise<RenewAnswer> => {
      this.requests.push(request);
      return new Promise((resolve, reject) => {
        this.#settle = { resolve, reject };
      });
    };
    return { renew, join: other, exchange: other, leave: other };
  }

  async answer(after = 0): Promise<void> {
    await vi.advanceTimersByTimeAsync(after);
    this.#settle?.resolve(answer);
    await vi.advanceTimersByTimeAsync(0);
  }

  async fail(): Promise<void> {
    this.#settle?.reject(new Error("gone"));
    await vi.advanceTimersByTimeAsync(0);
  }
}

function started(leaseMs: number) {
  const store = new Store();
  const events: unknown[][] = [];
  const heartbeat = new Heartbeat(store.verbs, engineId("engine00"), leaseMs, () => stats, {
    onAnswer: (each) => events.push(["answer", each]),
    onLease: (ms) => events.push(["lease", ms]),
    onError: (error) => events.push(["error", String(error)]),
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
    const nothing = { onAnswer: () => undefined, onLease: () => undefined, onError: () => undefined };
    const heartbeat = new Heartbeat(
      store.verbs,
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
    void heartbeat.last();
    expect(store.requests.map(({ stats: said }) => decodeEngineStats(said).busy)).toEqual([0, 3, 0]);
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

  it("tells an error, and beats no more", async () => {
    const { store, events } = started(10_000);
    await store.fail();
    expect(events).toEqual([["error", "Error: gone"]]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
