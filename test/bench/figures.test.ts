import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { between, shortNumber } from "./figures/format.js";
import { isMet } from "./figures/result.js";
import { differenceOf, median, ratiosOf, spreadOf } from "./figures/spread.js";
import { linearScale, logScale } from "./page/scale.js";

describe("what several rounds say", () => {
  it("is their median, with the least and the most", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(spreadOf([2, 9, 4])).toEqual({ median: 4, least: 2, most: 9 });
  });

  it("compares round by round, not median by median", () => {
    // The machine was three times slower in the second round, for both.
    expect(ratiosOf([1, 3, 1], [2, 6, 2])).toEqual({ median: 0.5, least: 0.5, most: 0.5 });
    expect(() => ratiosOf([1], [1, 2])).toThrow(RangeError);
  });

  it("of a difference spans all pairs of rounds", () => {
    const difference = differenceOf(spreadOf([10, 12, 11]), spreadOf([1, 2, 3]));
    expect(difference).toEqual({ median: 9, least: 7, most: 11 });
  });

  it("meets a goal or does not", () => {
    expect(isMet({ kind: "atLeast", value: 0.85 }, 0.85)).toBe(true);
    expect(isMet({ kind: "atMost", value: 6 }, 6.01)).toBe(false);
    expect(isMet({ kind: "above", value: 1 }, 1)).toBe(false);
  });

  it("is told in three digits", () => {
    expect([0.123, 1.2345, 12.345, 12, 123.45, 123_456.7].map(shortNumber)).toEqual([
      "0.12",
      "1.23",
      "12.3",
      "12",
      "123",
      "123,457",
    ]);
    expect(between(spreadOf([1, 20, 300]))).toBe("1.00–300");
  });
});

describe("the scales of plots", () => {
  it("begin at 0 and end at a round number", () => {
    expect(linearScale(1.4, 100, 0).ticks.map((tick) => Number(tick.toFixed(6)))).toEqual([0, 0.5, 1, 1.5]);
    expect(linearScale(100, 0, 1).ticks).toEqual([0, 20, 40, 60, 80, 100]);
  });

  it("show each value between their ends", () => {
    const positive = fc.double({ min: 1e-6, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1 }), (values) => {
        for (const scale of [linearScale(Math.max(...values), 200, 0), logScale(values, 200, 0)])
          for (const value of values) {
            expect(scale.at(value)).toBeGreaterThan(-0.001);
            expect(scale.at(value)).toBeLessThan(200.001);
          }
      }),
    );
  });

  it("have a tick for each power of ten, and refuse what has no logarithm", () => {
    const { at, ticks } = logScale([3, 250], 0, 300);
    expect(ticks).toEqual([1, 10, 100, 1000]);
    expect(ticks.map(at)).toEqual([0, 100, 200, 300]);
    expect(() => logScale([0, 1], 0, 1)).toThrow(RangeError);
  });
});
