import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Retries, retryDelayMs } from "../../src/core/retries.js";

describe("the delay before a retry", () => {
  it("doubles up to five minutes, and is longer by up to a fifth", () => {
    for (const [failures, plain] of [
      [1, 1000],
      [2, 2000],
      [5, 16_000],
      [9, 256_000],
      [10, 300_000],
      [2000, 300_000],
    ] as const) {
      for (let id = 0; id < 100; id++) {
        const delay = retryDelayMs(1000, failures, id);
        expect(delay).toBeGreaterThanOrEqual(plain);
        expect(delay).toBeLessThanOrEqual(1.2 * plain);
      }
    }
  });

  it("is what was asked for where that is more than five minutes, and none where none is wanted", () => {
    for (const failures of [1, 2, 3000]) {
      expect(retryDelayMs(3_600_000, failures, 7)).toBeGreaterThanOrEqual(3_600_000);
      expect(retryDelayMs(3_600_000, failures, 7)).toBeLessThanOrEqual(1.2 * 3_600_000);
      expect(retryDelayMs(0, failures, 7)).toBe(0);
    }
  });

  it("is the same each time for one task and failure, and spread evenly over tasks", () => {
    const delays = Array.from({ length: 10_000 }, (_, id) => retryDelayMs(100_000, 1, id));
    expect(delays).toEqual(Array.from({ length: 10_000 }, (_, id) => retryDelayMs(100_000, 1, id)));
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const delay of delays) {
      const tenth = Math.min(9, Math.floor((delay - 100_000) / 2000));
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(count).toBeGreaterThan(800);
    expect(new Set([1, 2, 3].map((failures) => retryDelayMs(300_000, failures, 5))).size).toBe(3);
    expect(retryDelayMs(100_000, 1, 2 ** 40)).not.toBe(retryDelayMs(100_000, 1, 2 ** 41));
  });
});

describe("Retries", () => {
  it("gives back each when it is due, the first one first, whatever was taken out meanwhile", () => {
    const step = fc.oneof(
      fc.record({ add: fc.nat(50) }),
      fc.record({ remove: fc.nat(30) }),
      fc.record({ pass: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const retries = new Retries<number>();
        const due = new Map<number, number>();
        let [now, next] = [1000, 0];
        const look = (): void => {
          const taken = retries.takeDue(now);
          const expected = [...due].filter(([, at]) => at <= now).toSorted(([, a], [, b]) => a - b);
          expect(taken.map((task) => due.get(task))).toEqual(expected.map(([, at]) => at));
          expect(taken.toSorted((a, b) => a - b)).toEqual(
            expected.map(([task]) => task).toSorted((a, b) => a - b),
          );
          for (const task of taken) due.delete(task);
          expect(retries.msToNext(now)).toBe(due.size === 0 ? null : Math.min(...due.values()) - now);
          expect(retries.size).toBe(due.size);
        };
        for (const each of steps) {
          if ("add" in each) {
            retries.add(next, each.add);
            // It has its time from the look after that.
            due.set(next++, now + each.add);
          } else if ("remove" in each) {
            expect(retries.remove(each.remove)).toBe(due.delete(each.remove));
          } else {
            look();
            now += each.pass;
          }
        }
        look();
        retries.clear();
        expect([retries.size, retries.msToNext(now)]).toEqual([0, null]);
      }),
    );
  });
});
