import { describe, expect, it } from "vitest";
import { StoreWatch } from "../src/store-watch.js";

const leaseMs = 300_000;
const never = new Promise<void>(() => undefined);

/** Seconds of looking once a second until it gives up. */
function secondsUntilGivenUp(watch: StoreWatch, from: number): number {
  for (let second = 1; second < 10_000; second++) if (watch.givesUp(from + second * 1000)) return second;
  throw new Error("never");
}

describe("StoreWatch", () => {
  it("gives up when there has been no answer for two leases and half a minute", () => {
    const watch = new StoreWatch(leaseMs, 0, never);
    expect(secondsUntilGivenUp(watch, 0)).toBe(631);
    expect(watch.silentSeconds).toBe(631);
  });

  it("stays no longer than it may be needed when nobody is there who started it", async () => {
    const watch = new StoreWatch(4_000, 0, Promise.resolve());
    await Promise.resolve();
    expect(secondsUntilGivenUp(watch, 0)).toBe(14);
  });

  it("begins anew with each answer", () => {
    const watch = new StoreWatch(leaseMs, 0, never);
    for (let second = 1; second < 2000; second++) {
      if (second % 500 === 0) watch.onAnswer();
      expect(watch.givesUp(second * 1000)).toBe(false);
    }
  });

  it("does not count time in which nobody could have answered, as we were stopped ourselves", () => {
    const watch = new StoreWatch(leaseMs, 0, never);
    expect(watch.givesUp(10 * leaseMs)).toBe(false);
    expect(secondsUntilGivenUp(watch, 10 * leaseMs)).toBe(626);
  });
});
