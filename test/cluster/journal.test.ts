import { describe, expect, it } from "vitest";
import { usePlace } from "../e2e/harness.js";
import { account, lostOn, widths } from "./journal.js";

const place = usePlace();

function row(task: number, host: string, flags = "    ", code = 0): string {
  return [
    flags,
    task,
    task + 1,
    -1,
    host,
    77,
    code,
    "1.000",
    "1.000",
    "2.000",
    0,
    "''",
    0,
    "''",
    "true",
  ].join("\t");
}

function write(journal: readonly string[], rows: readonly string[]): void {
  place().write("journal", journal.map((line) => `${line}\n`).join(""));
  place().write("run_status.txt", rows.map((line) => `${line}\n`).join(""));
}

const first = ["start 0 a 0 100 1.0", "end 0 a 0 100 2.0"];
const second = ["start 1 b 1 100 1.5", "end 1 b 1 100 2.5"];

describe("the account of a run", () => {
  it("balances when each task ran once and has one row", () => {
    write([...first, ...second], [row(0, "a"), row(1, "b"), row(2, "a", "B    "), row(0, "a", "   P")]);
    expect(account(place(), 2)).toHaveLength(2);
    expect(widths(place())).toEqual({ a: 1, b: 1 });
  });

  it("does not when a task has no row, or two", () => {
    write([...first, ...second], [row(0, "a")]);
    expect(() => account(place(), 2)).toThrow("one final row for each task");
    write([...first, ...second], [row(0, "a"), row(1, "b"), row(1, "b")]);
    expect(() => account(place(), 2)).toThrow("one final row for each task");
  });

  it("does not when a row tells of another host, or of a failure", () => {
    write(first, [row(0, "b")]);
    expect(() => account(place(), 1)).toThrow("an attempt that ended on b");
    write(first, [row(0, "a", "R   ", 1)]);
    expect(() => account(place(), 1)).toThrow("return code of task 0");
  });

  it("does not when a task ran on two engines at once, even if the first had seemed to be dead", () => {
    write([...first, "start 0 b 1 100 1.9", "end 0 b 1 100 2.9"], [row(0, "a")]);
    expect(() => account(place(), 1)).toThrow("ran twice at once");
  });

  it("tells what was lost, if that was dead before it ran again", () => {
    write(["start 0 a 0 100 1.0", "start 0 b 1 100 5.0", "end 0 b 1 100 6.0"], [row(0, "b")]);
    place().write("alive.0.0", "1.1\n4.9\n");
    expect(account(place(), 1)).toHaveLength(2);
    expect(lostOn(place(), "a")).toBe(1);
    place().write("alive.0.0", "1.1\n5.1\n");
    expect(() => lostOn(place(), "a")).toThrow("second try of task 0");
  });
});
