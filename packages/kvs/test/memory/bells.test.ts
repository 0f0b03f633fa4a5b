import { KvsClosedError, KvsLostError } from "@taskmuster/kvs";
import { MemoryServer, MemoryStore, type StartTimer } from "@taskmuster/kvs/memory";
import { runId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";

const run = runId("memoryrun");

/** A clock that only goes when told to. */
function virtualClock(): {
  readonly startTimer: StartTimer;
  readonly advance: (ms: number) => void;
  readonly pending: () => number;
} {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  return {
    startTimer: (callback, ms) => {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    advance: (ms) => {
      now += ms;
      for (const timer of timers) {
        if (timer.at > now) continue;
        timers.delete(timer);
        timer.callback();
      }
    },
    pending: () => timers.size,
  };
}

describe("a memory store in virtual time", () => {
  it("waits for a bell by the clock that it was given", async () => {
    const clock = virtualClock();
    const store = new MemoryStore(new MemoryServer(), run, clock.startTimer);
    const waiting = store.waitForBell("driver", 3_600_000);
    clock.advance(3_599_999);
    expect(clock.pending()).toBe(1);
    clock.advance(1);
    expect(await waiting).toBe("timeout");
  });

  it("leaves no timer behind, however a wait ends", async () => {
    const clock = virtualClock();
    const server = new MemoryServer();
    const [one, two] = [
      new MemoryStore(server, run, clock.startTimer),
      new MemoryStore(server, run, clock.startTimer),
    ];
    const rung = one.waitForBell("driver", 1_000);
    server.bells.ring(`${run}:driver`);
    expect(await rung).toBe("rung");
    const closed = expect(one.waitForBell("driver", 1_000)).rejects.toThrow(KvsClosedError);
    const lost = expect(two.waitForBell("driver", 1_000)).rejects.toThrow(KvsLostError);
    await one.disconnect();
    server.forget();
    await Promise.all([closed, lost]);
    expect(clock.pending()).toBe(0);
  });

  it("wakes those who wait for the same bell one after the other", async () => {
    const clock = virtualClock();
    const server = new MemoryServer();
    const store = new MemoryStore(server, run, clock.startTimer);
    const [first, second] = [store.waitForBell("driver", 10), store.waitForBell("driver", 10)];
    server.bells.ring(`${run}:driver`);
    expect(await first).toBe("rung");
    clock.advance(10);
    expect(await second).toBe("timeout");
  });
});
