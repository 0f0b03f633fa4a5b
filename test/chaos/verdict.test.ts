import { describe, expect, it } from "vitest";
import { Journal } from "./journal.js";
import { type Audited, judge } from "./verdict.js";

const list = { text: "", tasks: [0, 2], barriers: [1] };
const fine: Audited = { exitStatus: 0, missing: [], runAgain: [], damage: [], repeated: [] };

function row(flags: string, id: number, code = "0"): readonly string[] {
  return [flags, `${id}`, "1", "-1", "h", "7", code, "1.000", "1.000", "2.000", "0", "''", "0", "''", "x"];
}

const rows = [row("    ", 0), row("B    ", 1), row("    ", 2)];
const lines = ["start 0 7.1 0", "end 0 7.1 0", "start 2 8.1 0", "end 2 8.1 0"];

function faults(
  change: {
    readonly rows?: readonly (readonly string[])[];
    readonly lines?: readonly string[];
    readonly audited?: Partial<Audited>;
    readonly killedTasks?: number;
  } = {},
): readonly string[] {
  const journal = new Journal(list.barriers);
  for (const line of change.lines ?? lines) journal.read(`${line} h 1.5`);
  return judge({
    list,
    rows: change.rows ?? rows,
    account: journal.account(),
    audited: { ...fine, ...change.audited },
    killedTasks: change.killedTasks ?? 0,
  }).faults;
}

describe("the verdict on a chaos run", () => {
  it("is good when each task has one final row, whatever came late", () => {
    expect(faults()).toEqual([]);
    expect(faults({ rows: [...rows, row("   Z", 0)] })).toEqual([]);
    expect(faults({ rows: [row("   S", 0), ...rows.slice(1)] })).toEqual([]);
  });

  it.each([
    ["a task without a row", { rows: rows.slice(1) }, "no final row of task 0"],
    ["two final rows", { rows: [...rows, row("   S", 2)] }, "more than one final row of task 2"],
    ["a barrier without a row", { rows: [row("    ", 0), row("    ", 2)] }, "no final row of barrier 1"],
    ["a row of nobody's", { rows: [...rows, row("    ", 9)] }, "rows of a task that there is not: 9"],
    ["a success that never was", { lines: lines.slice(0, 3) }, "no attempt at it came to its end"],
    ["a failure", { rows: [row("R   ", 0, "3"), ...rows.slice(1)], killedTasks: 1 }, "task 0 ended with 3"],
    [
      "more killed than were killed",
      { rows: [row("R   ", 0, "-9"), ...rows.slice(1)] },
      "1 tasks failed, and 0 were",
    ],
    [
      "two attempts that nobody names",
      { lines: ["start 0 6.1 0", ...lines] },
      "the audit does not name them: 0",
    ],
    [
      "what the journal tells",
      { lines: ["start 0 6.1 0", "start 0 7.1 0", "on 0 6.1 0", ...lines.slice(1)] },
      "twice at once",
    ],
    ["what the audit tells", { audited: { exitStatus: 5, damage: [{ kind: "x" }] } }, "damaged"],
  ])("is not with %s", (_, change, words) => {
    expect(faults(change).join("\n")).toContain(words);
  });

  it("is good when the audit names what ran twice", () => {
    const audited = { exitStatus: 4, repeated: [{ id: 0, overlapSeconds: 0 }] };
    expect(faults({ lines: ["start 0 6.1 0", ...lines], audited })).toEqual([]);
  });
});
