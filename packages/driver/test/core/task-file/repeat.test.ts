import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TaskFileParser } from "../../../src/core/task-file/index.js";
import { readRepeat } from "../../../src/core/task-file/repeat.js";
import { readRow } from "../../../src/audit/read-row.js";
import { formatRow, parseRow } from "../../../src/core/status-line/index.js";
import { row } from "../status-line/rows.js";
import { directiveRest } from "./list-arbitrary.js";
import { briefly, bytesOf, latin1, messageOf, readItems } from "./read-items.js";

/** disBatch's own pattern, written for latin1 text in JavaScript. */
const disBatchPattern =
  /^REPEAT[ \t\n\r\f\v]+([0-9]+)(?:[ \t\n\r\f\v]+START[ \t\n\r\f\v]+([0-9]+))?(?:[ \t\n\r\f\v]+STEP[ \t\n\r\f\v]+([0-9]+))?(?: ([^\n]+))?[ \t\n\r\f\v]*$/i;

function byPattern(rest: string): unknown {
  const match = disBatchPattern.exec(rest);
  if (match === null) return null;
  const [count = 0, start = 0, step = 1] = match
    .slice(1, 4)
    .map((digits) => (digits ? Number(digits) : undefined));
  const largest = count === 0 ? 0 : Math.max(count, start, start + step * (count - 1));
  if (largest > 999_999_999_999_999) return "tooLarge";
  return { kind: "repeat", count, start, step, command: match[4] ?? "" };
}

describe("REPEAT", () => {
  it("is read as disBatch's pattern reads it", () => {
    const repeats = directiveRest.filter((rest) => /^REPEAT/i.test(rest));
    fc.assert(
      fc.property(repeats, (rest) => {
        const repeat = readRepeat(bytesOf(rest), "REPEAT".length);
        const readable = repeat instanceof Object ? { ...repeat, command: latin1(repeat.command) } : repeat;
        expect(readable).toEqual(byPattern(rest));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ["REPEAT 2", [" index 0: ", " index 1: "]],
    ["REPEAT 2 START 5 STEP 3 c", [" index 5: c", " index 8: c"]],
    ["rePEAT\t2  sTaRt\t 5 \tstep 3 c", [" index 5: c", " index 8: c"]],
    ["REPEAT 2 step 2 start 1 c", [" index 0: start 1 c", " index 2: start 1 c"]],
    ["REPEAT 2 start -1 c", [" index 0: start -1 c", " index 1: start -1 c"]],
    ["REPEAT 1  two", [" index 0:  two"]],
    ["REPEAT 1 start 1 step 2x", [" index 1: step 2x"]],
    ["REPEAT 0 x", []],
  ])("%s gives the tasks that disBatch gives", (rest, tasks) => {
    const items = readItems(`#DISBATCH ${rest}\n`);
    expect(briefly(items)).toEqual(tasks.map((task, id) => `${id} line 1${task}`));
  });

  it("of a thousand million tasks gives the first of them at once", () => {
    const parser = new TaskFileParser({ lenient: false });
    parser.feed(bytesOf("#DISBATCH REPEAT 1000000000 START 7 echo\n"));
    const first = [parser.next(), parser.next()];
    expect(first).toMatchObject([
      { id: 0, repeatIndex: 7 },
      { id: 1, repeatIndex: 8 },
    ]);
  });

  it("keeps one command for all its tasks", () => {
    const [one, other] = readItems("#DISBATCH REPEAT 2 echo\n");
    expect(one?.kind === "task" && other?.kind === "task" && one.command === other.command).toBe(true);
  });

  it.each([
    "REPEAT 1000000000000000 x",
    "REPEAT 1 START 1000000000000000 x",
    "REPEAT 2 START 999999999999999 x",
    "REPEAT 3 STEP 500000000000000 x",
  ])("%s is an error, for rows with its numbers could not be read back", (rest) => {
    for (const lenient of [false, true]) {
      const error = readItems(`true\n#DISBATCH ${rest}\n`, lenient).at(-1);
      expect(error).toMatchObject({ kind: "error", line: 2 });
      expect(messageOf(error)).toContain("too large");
    }
  });

  it("reaches to the highest index that can be read back from a status file", () => {
    const [first, last] = readItems("#DISBATCH REPEAT 2 START 999999999999998 x\n");
    expect([first, last]).toMatchObject([
      { repeatIndex: 999_999_999_999_998 },
      { repeatIndex: 999_999_999_999_999 },
    ]);
    const line = formatRow(row({ repeatIndex: 999_999_999_999_999 })).subarray(0, -1);
    expect(parseRow(line)).toMatchObject({ repeatIndex: 999_999_999_999_999 });
    expect(readRow(line, false)).toMatchObject({ kind: "task" });
  });

  it("is an error when the tasks of the whole list are too many", () => {
    const parser = new TaskFileParser({ lenient: false });
    parser.feed(bytesOf("true\n#DISBATCH REPEAT 999999999999999 x\n"));
    expect(parser.next()).toMatchObject({ kind: "task" });
    expect(parser.next()).toMatchObject({ kind: "error", line: 2 });
    expect(parser.next()).toBe("end");
  });

  it("reads a line of many megabytes", () => {
    const blanks = " ".repeat(4_000_000);
    const [task] = readItems(`#DISBATCH REPEAT${blanks}1${blanks}START${blanks}5 ${"x".repeat(3_000_000)}\n`);
    expect(task?.kind === "task" && [task.repeatIndex, task.command.length]).toEqual([5, 3_000_000]);
  });
});
