import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Window } from "../../src/core/window.js";

describe("Window", () => {
  it("holds some tasks before anything is known, and twice the slots when they are", () => {
    const window = new Window();
    expect(window.tasks).toBe(32);
    window.setSlots(4);
    expect(window.tasks).toBe(32);
    window.setSlots(1000);
    expect(window.tasks).toBe(2000);
  });

  it("grows with the rate, so that work for a second is always published, and shrinks with it", () => {
    const window = new Window();
    window.tasksEnded(0, 0);
    window.tasksEnded(500, 50);
    expect(window.tasks).toBe(32);
    window.tasksEnded(500, 1000);
    expect(window.tasks).toBe(1000);
    window.tasksEnded(200, 2000);
    expect(window.tasks).toBe(200);
    window.tasksEnded(1, 3000);
    expect(window.tasks).toBe(32);
  });

  it("has bounds: engines run what is published even when the driver is dead", () => {
    const window = new Window();
    window.setSlots(1_000_000);
    expect(window.tasks).toBe(20_000);
    expect(window.bytes).toBe(16 * 1024 * 1024);
  });

  it("stays within its bounds whatever is told, also when the clock jumps", () => {
    const step = fc.tuple(fc.nat(100_000), fc.integer({ min: -1e6, max: 1e9 }), fc.nat(100_000));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const window = new Window();
        for (const [count, now, slots] of steps) {
          window.setSlots(slots);
          window.tasksEnded(count, now);
          expect(window.tasks).toBeGreaterThanOrEqual(Math.min(20_000, Math.max(32, 2 * slots)));
          expect(window.tasks).toBeLessThanOrEqual(20_000);
        }
      }),
    );
  });
});
