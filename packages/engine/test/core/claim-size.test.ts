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

  it("claims what runs in 20 ms while tasks are shorter than a few trips, or than 5 ms", () => {
    expect(measured(8, 10, 39).ahead).toBe(5);
    expect(measured(8, 10, 40).ahead).toBe(0);
    expect(measured(2, 0.1, 4).ahead).toBe(10);
    expect(measured(2, 0.1, 5).ahead).toBe(0);
    expect(measured(2, 0.1, 1).ahead).toBe(40);
    expect(measured(1000, 1, 0).ahead).toBe(256);
  });

  it("stops soon when tasks become long, and does not start for one short task among long ones", () => {
    const size = measured(8, 1, 1);
    size.taskTook(1000);
    expect(size.ahead).toBe(0);
    const long = measured(8, 1, 1000);
    long.taskTook(0);
    expect(long.ahead).toBe(0);
  });

  it("learns anew when it is told that tasks were longer than they seemed", () => {
    const size = measured(8, 1, 1);
    size.forgetTasks();
    expect(size.ahead).toBe(0);
    size.taskTook(1);
    expect(size.ahead).toBeGreaterThan(0);
  });

  it("is a whole number within its bounds, whatever is measured", () => {
    const ms = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.array(fc.tuple(ms, ms)), (slots, measures) => {
        const size = new ClaimSize(slots);
        for (const [trip, task] of measures) {
          size.tripTook(trip);
          size.taskTook(task);
          expect(Number.isInteger(size.ahead)).toBe(true);
          expect(size.ahead).toBeGreaterThanOrEqual(0);
          expect(size.ahead).toBeLessThanOrEqual(256);
        }
      }),
    );
  });
});
