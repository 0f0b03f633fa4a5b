import { describe, expect, it } from "vitest";
import { Journal } from "./journal.js";

function faults(barriers: readonly number[], ...lines: readonly string[]): readonly string[] {
  const journal = new Journal(barriers);
  for (const line of lines) journal.read(`${line} h 1.5`);
  return journal.account().faults;
}

describe("the journal of a chaos run", () => {
  it("is content with attempts that come one after the other, ended or not", () => {
    const journal = new Journal([1]);
    for (const line of ["start 0 7.1 0", "on 0 7.1 0", "start 0 8.2 1", "end 0 8.2 1", "start 2 9.1 0"])
      journal.read(`${line} h 1.5`);
    const { attempts, faults: found, lines } = journal.account();
    expect(found).toEqual([]);
    expect(lines).toBe(5);
    expect(attempts.get(0)).toMatchObject([
      { name: "7.1", ended: false },
      { name: "8.2", ended: true },
    ]);
  });

  it("tells of an attempt that is heard of when the next one has begun", () => {
    const found = faults([], "start 0 7.1 0", "start 0 8.2 1", "on 0 7.1 0", "end 0 8.2 1");
    expect(found).toEqual([expect.stringContaining("task 0 ran twice at once: line 3")]);
  });

  it("tells of one that began while the one before was at work, if that one is heard of again", () => {
    expect(faults([], "start 0 7.1 0", "start 0 8.2 1", "end 0 8.2 1", "end 0 7.1 0")).toHaveLength(1);
  });

  it("tells of a task that is heard of behind the barrier after it", () => {
    expect(faults([1, 3], "start 0 7.1 0", "start 2 8.1 0", "on 0 7.1 0")).toEqual([
      "task 0 ran behind barrier 1: line 3",
    ]);
    expect(faults([1, 3], "start 0 7.1 0", "start 4 8.1 0", "start 2 9.1 0")).toEqual([
      "task 2 ran behind barrier 3: line 3",
    ]);
  });

  it("tells of lines that are none, and of what goes on after its end", () => {
    expect(faults([], "start 0 7.1", "start 1 7.1 0", "end 1 7.1 0", "on 1 7.1 0")).toHaveLength(2);
  });
});
