import { describe, expect, it } from "vitest";
import { DriverWatch } from "../src/driver-watch.js";

const leaseMs = 300_000;
const never = new Promise<void>(() => undefined);

describe("DriverWatch", () => {
  it("gives up on a driver that has been silent for a lease, and only when there is nothing to do", () => {
    let now = 1000;
    const watch = new DriverWatch(leaseMs, never, () => now);
    watch.onBeat(5);
    now += leaseMs;
    expect(watch.givesUp(true, false)).toBe(false);
    now += 1;
    expect(watch.givesUp(false, false)).toBe(false);
    expect(watch.givesUp(true, false)).toBe(true);
  });

  it("counts only a beat that has changed", () => {
    let now = 0;
    const watch = new DriverWatch(leaseMs, never, () => now);
    watch.onBeat(5);
    now = leaseMs;
    watch.onBeat(5);
    now = leaseMs + 1;
    expect(watch.givesUp(true, false)).toBe(true);
    watch.onBeat(6);
    expect(watch.givesUp(true, false)).toBe(false);
  });

  it("waits only a little when it knows that whoever started it is gone, but does wait for another driver", async () => {
    let now = 0;
    const watch = new DriverWatch(leaseMs, Promise.resolve(), () => now);
    await Promise.resolve();
    now = 15_000;
    expect(watch.givesUp(true, false)).toBe(false);
    now = 15_001;
    expect(watch.givesUp(false, false)).toBe(false);
    expect(watch.givesUp(true, false)).toBe(true);
    // Another driver has taken over.
    watch.onBeat(1);
    expect(watch.givesUp(true, false)).toBe(false);
  });

  it("keeps results that nobody has taken for a lease", async () => {
    let now = 0;
    const watch = new DriverWatch(leaseMs, Promise.resolve(), () => now);
    await Promise.resolve();
    now = leaseMs;
    expect(watch.givesUp(true, true)).toBe(false);
    now = leaseMs + 1;
    expect(watch.givesUp(true, true)).toBe(true);
  });

  it("never waits longer than the lease", async () => {
    let now = 0;
    const watch = new DriverWatch(2000, Promise.resolve(), () => now);
    await Promise.resolve();
    now = 2001;
    expect(watch.givesUp(true, false)).toBe(true);
  });
});
