import { describe, expect, it } from "vitest";
import { AllocationEnd, allocationEndsAt } from "../../src/core/allocation-end.js";

const minute = 60_000;

/** When it takes nothing new any more, in ms before the end of an hour's allocation. */
function before(tookMs: readonly number[], wholeMs = 60 * minute): number {
  const end = new AllocationEnd(1000 + wholeMs, 1000);
  for (const ms of tookMs) end.taskTook(ms);
  for (let left = wholeMs; left > 0; left -= 100) if (end.isNear(1000 + wholeMs - left)) return left;
  return 0;
}

describe("AllocationEnd", () => {
  it("leaves a small margin when nobody knows how long tasks take, or they are short", () => {
    expect(before([])).toBe(10_000);
    expect(before([500, 9000])).toBe(10_000);
  });

  it("leaves less when there is little time in all", () => {
    expect(before([], 20_000)).toBe(2000);
  });

  it("leaves what the longest of the recent tasks took", () => {
    expect(before([1000, 5 * minute, 2 * minute])).toBe(5 * minute);
  });

  it("forgets what was long ago", () => {
    expect(before([5 * minute, ...Array.from({ length: 49 }, () => minute)])).toBe(5 * minute);
    expect(before([5 * minute, ...Array.from({ length: 50 }, () => minute)])).toBe(minute);
  });

  it("leaves no more than half of the time there was", () => {
    expect(before([45 * minute])).toBe(30 * minute);
  });
});

describe("allocationEndsAt", () => {
  it("reads seconds since 1970", () => {
    expect(allocationEndsAt("1700000000", 1_600_000_000_000)).toBe(1_700_000_000_000);
  });

  it("is not known when there is none, or one that cannot be", () => {
    const now = 1_700_000_000_000;
    for (const text of [undefined, "", "0", "soon", "1700000000", "1600000000"])
      expect(allocationEndsAt(text, now)).toBeNull();
  });
});
