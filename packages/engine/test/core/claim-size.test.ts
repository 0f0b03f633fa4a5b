import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClaimSize } from "../../src/core/claim-size.js";

function measured(slots: number, taskMs: number, most?: number): ClaimSize {
  const size = new ClaimSize(slots, most);
  size.taskTook(taskMs);
  return size;
}

describe("ClaimSize", () => {
  it("claims nothing ahead before a task has been measured", () => {
    expect(new ClaimSize(8).ahead).toBe(0);
  });

  it("claims what ends in the next 200 ms, and nothing when not even one does", () => {
    expect(measured(2, 2).ahead).toBe(200);
    expect(measured(2, 10).ahead).toBe(40);
    expect(measured(8, 100).ahead).toBe(16);
    expect(measured(8, 1600).ahead).toBe(1);
    expect(measured(8, 1601).ahead).toBe(0);
    expect(measured(1, 201).ahead).toBe(0);
  });

  it("has a bound, which may be set lower", () => {
    expect(measured(1000, 0).ahead).toBe(256);
    expect(measured(2, 1, 5).ahead).toBe(5);
    expect(measured(2, 1, 0).ahead).toBe(0);
  });

  it("stops soon when tasks become long, and does not start for one short task among long ones", () => {
    const size = measured(8, 1);
    size.taskTook(10_000);
    expect(size.ahead).toBe(0);
    const long = measured(8, 10_000);
    long.taskTook(0);
    expect(long.ahead).toBe(0);
  });

  it("learns anew when it is told that tasks were longer than they seemed", () => {
    const size = measured(8, 1);
    size.forgetTasks();
    expect(size.ahead).toBe(0);
    size.taskTook(1);
    expect(size.ahead).toBeGreaterThan(0);
  });

  it("is a whole number within its bounds, whatever is measured", () => {
    const ms = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(300), fc.array(ms), (slots, most, tasks) => {
        const size = new ClaimSize(slots, most);
        for (const task of tasks) {
          size.taskTook(task);
          expect(Number.isInteger(size.ahead)).toBe(true);
          expect(size.ahead).toBeGreaterThanOrEqual(0);
          expect(size.ahead).toBeLessThanOrEqual(most);
        }
      }),
    );
  });
});
