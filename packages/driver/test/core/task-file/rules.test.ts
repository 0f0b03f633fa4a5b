import { describe, expect, it } from "vitest";
import { TaskFileScanner } from "../../../src/core/task-file/index.js";
import { messageOf, readItems } from "./read-items.js";

/** What holds for each task, by its command. */
function rules(text: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    readItems(text).flatMap((item) =>
      item.kind === "task" ? [[Buffer.from(item.command).toString(), item.rules]] : [],
    ),
  );
}

describe("RETRIES and TIMEOUT", () => {
  it("hold for the tasks after them until they say something else, repeats too", () => {
    expect(
      rules(
        [
          "a",
          "#DISBATCH RETRIES 3 DELAY 90s",
          "b",
          "#DISBATCH timeout\t 1.5h ",
          "#DISBATCH REPEAT 2 c",
          "#DISBATCH retries 1",
          "d",
          "#DISBATCH BARRIER",
          "#DISBATCH TIMEOUT None",
          "e",
          "#DISBATCH RETRIES 0 delay 0",
          "f",
          "",
        ].join("\n"),
      ),
    ).toEqual({
      a: undefined,
      b: { retries: 3, retryDelayMs: 90_000 },
      c: { retries: 3, retryDelayMs: 90_000, timeoutMs: 5_400_000 },
      // Each RETRIES stands for itself: the delay is that of the option again.
      d: { retries: 1, timeoutMs: 5_400_000 },
      e: { retries: 1, timeoutMs: null },
      f: { retries: 0, retryDelayMs: 0, timeoutMs: null },
    });
  });

  it("make no object for a task, but one for all between two of them", () => {
    const [a, b] = readItems("#DISBATCH TIMEOUT 5\na\nb\n");
    expect(a?.kind === "task" && b?.kind === "task" && a.rules !== undefined && a.rules === b.rules).toBe(
      true,
    );
  });

  it("may come before PERENGINE, and take no id", () => {
    expect(
      readItems("#DISBATCH TIMEOUT 5\n#DISBATCH PERENGINE START x\n#DISBATCH RETRIES 1\na\n"),
    ).toMatchObject([{ kind: "perEngine" }, { kind: "task", id: 0, line: 4 }]);
  });

  it.each([
    ["RETRIES", "RETRIES count"],
    ["RETRIES -1", "RETRIES count"],
    ["RETRIES many", "RETRIES count"],
    ["RETRIES 1.5", "RETRIES count"],
    ["RETRIES 3 5", "RETRIES count"],
    ["RETRIES 3 DELAY", "RETRIES count"],
    ["RETRIES 3 DELAY soon", "RETRIES count"],
    ["RETRIES 9999999999", "RETRIES count"],
    [`RETRIES 3${" ".repeat(300)}x`, "RETRIES count"],
    ["TIMEOUT", "TIMEOUT duration"],
    ["TIMEOUT 0", "TIMEOUT duration"],
    ["TIMEOUT 1 minute", "TIMEOUT duration"],
    ["TIMEOUT -5", "TIMEOUT duration"],
    ["TIMEOUT 5000d", "TIMEOUT duration"],
    [" TIMEOUT 5", "Exactly one space"],
  ])("#DISBATCH %s is refused, and passed over with --lenient", (rest, advice) => {
    const text = `true\n#DISBATCH ${rest}\nfalse\n`;
    const error = readItems(text).at(-1);
    expect(error).toMatchObject({ kind: "error", line: 2 });
    expect(messageOf(error)).toMatch(/^malformed directive/);
    expect(messageOf(error)).toContain(advice);
    expect(readItems(text, true).map(({ kind }) => kind)).toEqual(["task", "notice", "task"]);
    const scanner = new TaskFileScanner({ lenient: false });
    scanner.feed(Buffer.from(text));
    expect(scanner.end().error).toMatchObject({ line: 2 });
  });

  it("that begin like others are unknown, and the message names all that there are", () => {
    const error = readItems("#DISBATCH TIMEOUTS 5\n").at(-1);
    expect(messageOf(error)).toMatch(/^unknown directive/);
    expect(messageOf(error)).toContain("BARRIER, PERENGINE, PREFIX, REPEAT, RETRIES, SUFFIX, TIMEOUT");
  });
});
