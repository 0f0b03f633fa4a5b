import type { RunView } from "@taskmuster/driver";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Progress } from "../src/progress.js";
import { view } from "./view.js";

/** A run of tasks that end at `rate` a second, seen each second up to `seconds`; answers the last line. */
function lineAfter(seconds: number, rate: number, total: number | null, more: Partial<RunView> = {}): string {
  const progress = new Progress(total, 1000);
  let line = "";
  for (let second = 0; second <= seconds; second++) {
    line = progress.line(view({ done: second * rate, running: 4, ...more }), 1000 + 1000 * second, 200);
  }
  return line;
}

describe("Progress", () => {
  it("tells done of total, what runs, the rate, and the time left", () => {
    expect(lineAfter(10, 10, 1000)).toBe("100/1000 10%  4 running  10.0/s  1:30 left");
  });

  it("tells no total and no time left where the length is not known", () => {
    expect(lineAfter(10, 10, null)).toBe("100 done  4 running  10.0/s");
  });

  it("guesses no time left before there is anything to guess from", () => {
    // At the start, before a full round of tasks has ended, and before two seconds have passed.
    expect(lineAfter(0, 10, 1000)).toBe("0/1000 0%  4 running");
    expect(lineAfter(4, 1, 1000)).toBe("4/1000 0%  4 running  1.0/s");
    expect(lineAfter(5, 1, 1000)).toBe("5/1000 0%  4 running  1.0/s  16:35 left");
    expect(lineAfter(1, 10, 1000)).toBe("10/1000 1%  4 running  10.0/s");
    expect(lineAfter(10, 0, 1000, { done: 0 })).toBe("0/1000 0%  4 running");
  });

  it("counts skipped tasks as done, but learns no rate from them", () => {
    expect(lineAfter(10, 10, 1000, { skipped: 500 })).toBe(
      "600/1000 60%  500 skipped  4 running  10.0/s  40 s left",
    );
    expect(lineAfter(10, 0, 1000, { done: 0, skipped: 999 })).toBe("999/1000 99%  999 skipped  4 running");
  });

  it("says what went wrong, and what it waits for", () => {
    const line = lineAfter(0, 0, 10, { done: 3, failed: 2, lost: 1, atBarrier: 7 });
    expect(line).toBe("3/10 30%  2 failed  1 lost  4 running  at a barrier");
    const drained = { phase: "draining", reason: { kind: "drained", signal: "Ctrl-C" } } as const;
    expect(lineAfter(10, 10, 1000, drained)).toBe("100/1000 10%  4 running  10.0/s  finishing what runs");
    expect(lineAfter(10, 10, 1000, { phase: "stopping" })).toBe("100/1000 10%  4 running  10.0/s  stopping");
  });

  it("never tells 100% before the last task has ended", () => {
    expect(lineAfter(0, 0, 1000, { done: 999 })).toContain("999/1000 99%");
    expect(lineAfter(0, 0, 0)).toBe("0/0  4 running");
  });

  it("follows a list whose tasks change: the rate is that of the last half minute", () => {
    const progress = new Progress(100_000, 0);
    let line = "";
    for (let second = 0; second <= 200; second++) {
      const done = second <= 100 ? second * 100 : 10_000 + (second - 100);
      line = progress.line(view({ done, running: 1 }), second * 1000, 200);
    }
    expect(line).toContain("  1.0/s  ");
  });

  it("fits into the width there is, whatever there is to say", () => {
    const numbers = fc.nat(1_000_000);
    fc.assert(
      fc.property(
        numbers,
        numbers,
        numbers,
        fc.nat(200),
        fc.option(numbers),
        (done, failed, running, columns, total) => {
          const progress = new Progress(total, 0);
          progress.line(view(), 0, columns);
          const line = progress.line(
            view({ done, failed, running, skipped: failed, lost: 3, atBarrier: 1 }),
            5000,
            columns,
          );
          expect(line.length).toBeLessThanOrEqual(columns);
          expect(line).not.toMatch(/NaN|Infinity|undefined|\n/);
        },
      ),
    );
  });
});
