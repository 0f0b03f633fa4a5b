import { describe, expect, it } from "vitest";
import { simulate } from "./simulate.js";

describe("the whole system, whatever goes wrong", () => {
  it("breaks no invariant, and ends with one final row for each line", async () => {
    const failed: unknown[] = [];
    let drivers = 0;
    for (let seed = 1; seed <= 120; seed++) {
      const ended = await simulate(seed);
      drivers += ended.drivers;
      if (ended.failure !== null) failed.push(ended);
    }
    expect(failed).toEqual([]);
    // Some of them died.
    expect(drivers).toBeGreaterThan(120);
  }, 300_000);

  it("happens the same way each time", async () => {
    const traced = async () => {
      const lines: string[] = [];
      const ended = await simulate(7, { onSay: (line) => lines.push(line) });
      return { lines, ended };
    };
    const once = await traced();
    const again = await traced();
    expect(once.lines.length).toBeGreaterThan(10);
    expect(again).toEqual(once);
  });
});
