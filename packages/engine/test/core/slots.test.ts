import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SlotPool, slotsOf } from "../../src/core/slots.js";

describe("SlotPool", () => {
  it("hands out the lowest free rank, and nothing when all are busy", () => {
    const pool = new SlotPool(3);
    expect([pool.take(), pool.take(), pool.take(), pool.take()]).toEqual([0, 1, 2, null]);
    pool.give(2);
    pool.give(0);
    expect([pool.take(), pool.take(), pool.take()]).toEqual([0, 2, null]);
  });

  it("refuses a rank that is not in use", () => {
    const pool = new SlotPool(2);
    pool.take();
    for (const rank of [1, -1, 2, 0.5, Number.NaN]) expect(() => pool.give(rank)).toThrow(RangeError);
    pool.give(0);
    expect(() => pool.give(0)).toThrow(RangeError);
    expect(pool.free).toBe(2);
  });

  it("refuses to be without slots", () => {
    for (const size of [0, -1, 1.5, Number.NaN]) expect(() => new SlotPool(size)).toThrow(RangeError);
  });

  it("never goes below zero and never hands a slot out twice", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.option(fc.nat(30))), (size, steps) => {
        const pool = new SlotPool(size);
        const busy: number[] = [];
        for (const step of steps) {
          if (step === null) {
            const rank = pool.take();
            if (rank === null) expect(busy).toHaveLength(size);
            else {
              expect(busy).not.toContain(rank);
              expect(rank).toBeLessThan(size);
              busy.push(rank);
            }
          } else if (busy.length > 0) {
            const [rank] = busy.splice(step % busy.length, 1);
            pool.give(rank ?? -1);
          }
          expect(pool.busy).toBe(busy.length);
          expect(pool.free).toBe(size - busy.length);
        }
      }),
    );
  });
});

describe("slotsOf", () => {
  it.each([
    // cores, -c, -t: slots and DISBATCH_CORES_PER_TASK
    [4, 1, null, 4, 1],
    [5, 2, null, 2, 2],
    [1, 0.5, null, 2, 0],
    [3, 0.5, null, 6, 0],
    [7, 1, 2, 2, 3],
    [7, 3, 2, 2, 3],
    [2, 1, 16, 16, 0],
    [7, 1.5, null, 4, 1],
  ])(
    "%s cores, -c %s, -t %s: %s slots of %s cores, as disBatch has it",
    (cores, cpus, tasks, slots, coresPerTask) => {
      expect(slotsOf(cores, cpus, tasks)).toEqual({ slots, coresPerTask });
    },
  );

  it("does not lose a slot to a fraction that has no exact value", () => {
    // disBatch has 9: Python's 1.0 // 0.1.
    expect(slotsOf(1, 0.1, null)).toEqual({ slots: 10, coresPerTask: 0 });
    expect(slotsOf(3, 0.3, null)?.slots).toBe(10);
    expect(slotsOf(6, 0.6, null)?.slots).toBe(10);
  });

  it("says when not even one task fits", () => {
    expect(slotsOf(1, 2, null)).toBeNull();
  });
});
