import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClaimSize } from "../../src/core/claim-size.js";

function measured(slots: number, tripMs: number, taskMs: number): ClaimSize {
  const size = new ClaimSize(slots);
  size.tripTook(tripMs);
  size.taskTook(taskMs);
  return size;
}

describe("ClaimSize", () => {
  it("claims nothing ahead before both a trip and a task have been measured", () => {
    const size = new ClaimSize(8);
    expect(size.ahead).toBe(0);
    size.tripTook(1);
    expect(size.ahead).toBe(0);
    const other = new ClaimSize(8);
    other.taskTook(0.1);
    expect(other.ahead).toBe(0);
  });

  it("claims as many ahead as there are slots while tasks are shorter than a few trips", () => {
    expect(measured(8, 1, 3.9).ahead).toBe(8);
    expect(measured(8, 1, 4).ahead).toBe(0);
    expect(measured(1000, 1, 1).ahead).toBe(128);
  });

  it("stops soon when tasks become long, and does not start for one short task among long ones", () => {
    const size = measured(8, 1, 1);
    size.taskTook(1000);
    expect(size.ahead).toBe(0);
    const long = measured(8, 1, 1000);
    long.taskTook(0);
    expect(long.ahead).toBe(0);
  });

  it("is never below zero nor above the slots, whatever is measured", () => {
    const ms = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.array(fc.tuple(ms, ms)), (slots, measures) => {
        const size = new ClaimSize(slots);
        for (const [trip, task] of measures) {
          size.tripTook(trip);
          size.taskTook(task);
          expect([0, Math.min(slots, 128)]).toContain(size.ahead);
        }
      }),
    );
  });
});
