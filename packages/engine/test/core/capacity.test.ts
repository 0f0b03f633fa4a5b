import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Capacity } from "../../src/core/capacity.js";

function seconds(capacity: Capacity, count: number): void {
  for (let second = 0; second < count; second++) capacity.onSecond();
}

describe("Capacity", () => {
  it("is all slots as long as nothing is refused", () => {
    const capacity = new Capacity(40);
    seconds(capacity, 1000);
    expect([capacity.limit, capacity.usable, capacity.isTight, capacity.out]).toEqual([40, 40, false, ""]);
  });

  it("is half of what ran when something is refused, and one at least", () => {
    const capacity = new Capacity(40);
    capacity.refused(24, "processes");
    expect([capacity.limit, capacity.isTight, capacity.out]).toEqual([12, true, "processes"]);
    capacity.refused(1, "memory");
    expect([capacity.limit, capacity.out]).toEqual([1, "memory"]);
  });

  it("is no more than before, however many run still", () => {
    const capacity = new Capacity(40);
    capacity.refused(10, "processes");
    capacity.refused(39, "processes");
    expect(capacity.limit).toBe(5);
  });

  it("grows step by step in quiet times, until it is all", () => {
    const capacity = new Capacity(64);
    capacity.refused(16, "processes");
    const limits = [capacity.limit];
    for (let second = 0; second < 100; second++) if (capacity.onSecond()) limits.push(capacity.limit);
    expect(limits).toEqual([8, 16, 24, 32, 40, 48, 56, 64]);
    expect(capacity.isTight).toBe(false);
  });

  it("is more patient each time that it grew too early, up to a bound, and not when many are refused at once", () => {
    const capacity = new Capacity(64);
    const waits: number[] = [];
    for (let round = 0; round < 6; round++) {
      capacity.refused(20, "processes");
      capacity.refused(19, "processes");
      let wait = 1;
      while (!capacity.onSecond()) wait++;
      waits.push(wait);
    }
    expect(waits).toEqual([5, 10, 20, 40, 40, 40]);
  });

  it("is nothing but one try now and then while nothing of ours runs and all is refused", () => {
    const capacity = new Capacity(8);
    capacity.refused(0, "open files");
    expect([capacity.limit, capacity.usable]).toEqual([0, 0]);
    seconds(capacity, 5);
    // Others shall not count on it yet.
    expect([capacity.limit, capacity.usable]).toEqual([1, 0]);
    capacity.refused(0, "open files");
    expect(capacity.limit).toBe(0);
    seconds(capacity, 10);
    expect(capacity.limit).toBe(1);
    seconds(capacity, 10);
    expect([capacity.limit, capacity.usable]).toEqual([2, 2]);
  });

  it("comes back to all slots, whatever was refused, when nothing is any more", () => {
    const refusals = fc.array(fc.tuple(fc.nat(70), fc.nat(50)), { maxLength: 30 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), refusals, (slots, steps) => {
        const capacity = new Capacity(slots);
        for (const [running, pause] of steps) {
          const before = capacity.limit;
          capacity.refused(Math.min(running, slots), "processes");
          expect(capacity.limit).toBeLessThanOrEqual(before);
          expect(capacity.limit).toBeLessThanOrEqual(Math.max(1, running / 2));
          seconds(capacity, pause);
          expect(capacity.limit).toBeLessThanOrEqual(slots);
        }
        seconds(capacity, 40 * (slots + 2));
        expect([capacity.usable, capacity.isTight]).toEqual([slots, false]);
      }),
    );
  });
});
