import { describe, expect, it } from "vitest";
import { TaskFileParser, TaskFileScanner } from "../../../src/core/task-file/index.js";
import { readRow } from "../../../src/audit/read-row.js";
import { formatRow } from "../../../src/core/status-line/index.js";
import { row } from "../status-line/rows.js";
import { briefly, bytesOf, messageOf, readItems, readyItems } from "./read-items.js";

describe("lines", () => {
  it("may lack the last line end", () => {
    expect(briefly(readItems("a\nb"))).toEqual(["0 line 1: a", "1 line 2: b"]);
  });

  it("that are blank or comments count as lines and give nothing", () => {
    expect(briefly(readItems("\n \t\v\f\n# c\n  # d\n#\nx # e\n"))).toEqual(["0 line 6: x # e"]);
  });

  it("keep blanks at both ends, and bytes that are no UTF-8", () => {
    expect(briefly(readItems("\t a \xff\xe9 \t\n"))).toEqual(["0 line 1: \t a \xff\xe9 \t"]);
  });

  it("are blank to disBatch only with ASCII blanks", () => {
    expect(briefly(readItems("\xa0\n\x85\n\x1c\n"))).toEqual([
      "0 line 1: \xa0",
      "1 line 2: \x85",
      "2 line 3: \x1c",
    ]);
  });

  it("that end in CR LF are told once, at the first of them", () => {
    expect(briefly(readItems("a\n#\nb\r\nc\r\n\r\n"))).toEqual([
      "0 line 1: a",
      "1 line 3: b",
      "notice line 3",
      "2 line 4: c",
    ]);
  });

  it("are split at a lone CR, which does not count", () => {
    expect(briefly(readItems("a\rb\r\rc\nd\r"))).toEqual([
      "0 line 1: a",
      "1 line 1: b",
      "2 line 1: c",
      "3 line 2: d",
    ]);
  });

  it("are not split at other separators that Python and Unicode know", () => {
    expect(briefly(readItems("a\x0bb\x0cc\x85d\x1ce\n"))).toEqual(["0 line 1: a\x0bb\x0cc\x85d\x1ce"]);
  });
});

describe("a line that is longer than any command", () => {
  const most = 64 * 1024 * 1024;
  const long = Buffer.alloc(most + 1, "x");
  const lists: readonly (readonly [string, readonly Buffer[]])[] = [
    ["in one piece", [Buffer.concat([Buffer.from("a\n"), long, Buffer.from("\nb\n")])]],
    ["in pieces", [Buffer.from("a\n"), long.subarray(0, 1000), long.subarray(1000), Buffer.from("\nb\n")]],
    ["that has no end", [Buffer.from("a\n"), long, long]],
  ];

  it.each(lists)("%s is an error, and is not held", (_, chunks) => {
    const items = readItems("", false, [...chunks]);
    expect(briefly(items)).toEqual(["0 line 1: a", `error line 2: ${"x".repeat(200)}…`]);
    expect(messageOf(items[1])).toContain("has more than 64 MiB");
    const scanner = new TaskFileScanner({ lenient: false });
    for (const chunk of chunks) scanner.feed(chunk);
    expect(scanner.end()).toMatchObject({ tasks: 1, lines: 2, error: { line: 2 } });
  });

  it("is one only if it is longer", () => {
    const items = readItems(Buffer.concat([Buffer.from("#"), long.subarray(1, most), Buffer.from("\na\n")]));
    expect(briefly(items)).toEqual(["0 line 2: a"]);
  });
});

describe("a command that is longer than any, and whose row could not be read back", () => {
  const most = 3 * 1024 * 1024;
  const third = "x".repeat(most / 3);
  const around = `#DISBATCH PREFIX ${third}\n#DISBATCH SUFFIX ${third}\n`;

  it.each([
    ["a line", "", "x".repeat(most), "x"],
    ["a line with PREFIX and SUFFIX", around, third, "x"],
    ["a REPEAT", around, `#DISBATCH REPEAT 2 ${third}`, "x"],
    ["a PERENGINE", around, `#DISBATCH PERENGINE START ${third}`, "x"],
  ])("is an error, whole list unread: %s", (_, before, line, more) => {
    expect(readItems(`${before}${line}\n`).map(({ kind }) => kind)).not.toContain("error");
    const error = readItems(`${before}${line}${more}\n`).at(-1);
    expect(error).toMatchObject({ kind: "error" });
    expect(messageOf(error)).toContain("has more than 3 MiB, with PREFIX and SUFFIX");
    const scanner = new TaskFileScanner({ lenient: true });
    scanner.feed(Buffer.from(`true\n${before}${line}${more}\n`));
    expect(scanner.end()).toMatchObject({ error: expect.anything() });
  });

  it("has a row that an audit and a resume take, if it is as long as it may be", () => {
    const command = Buffer.alloc(most, 0xff);
    const bytes = formatRow(row({ command }));
    expect(bytes.length).toBeLessThan(16 * 1024 * 1024);
    expect(readRow(bytes.subarray(0, -1), false)).toMatchObject({ kind: "task" });
  });
});

describe("a stream", () => {
  it("gives a task as soon as its line end has arrived", () => {
    const parser = new TaskFileParser({ lenient: false });
    expect(parser.next()).toBe("needMore");
    parser.feed(bytesOf("ec"));
    expect(parser.next()).toBe("needMore");
    parser.feed(bytesOf("ho a\nec"));
    expect(briefly(readyItems(parser))).toEqual(["0 line 1: echo a"]);
    expect(parser.next()).toBe("needMore");
    parser.end();
    expect(briefly(readyItems(parser))).toEqual(["1 line 2: ec"]);
    expect(parser.next()).toBe("end");
  });

  it("gives a task at the CR of a CR LF, and no empty line for the LF", () => {
    const parser = new TaskFileParser({ lenient: false });
    parser.feed(bytesOf("a\r"));
    expect(briefly(readyItems(parser))).toEqual(["0 line 1: a"]);
    parser.feed(bytesOf("\nb\n"));
    expect(briefly(readyItems(parser))).toEqual(["notice line 1", "1 line 2: b"]);
  });

  it("of one long line in small pieces is read in reasonable time", () => {
    const parser = new TaskFileParser({ lenient: false });
    const piece = Buffer.alloc(1000, "#");
    for (let count = 0; count < 50_000; count++) {
      parser.feed(piece);
      expect(parser.next()).toBe("needMore");
    }
    parser.feed(bytesOf("\na"));
    parser.end();
    expect(parser.next()).toMatchObject({ kind: "task", line: 2 });
  });
});

describe("the scanner", () => {
  it.each([
    ["", 0],
    ["a", 1],
    ["a\n", 1],
    ["a\nb", 2],
    ["\n\n", 2],
    ["a\rb", 1],
    ["a\r", 1],
    ["a\r\n", 1],
    ["a\r\n\r", 2],
    ["# c", 1],
  ])("counts the physical lines of %j: %i", (list, lines) => {
    const scanner = new TaskFileScanner({ lenient: false });
    scanner.feed(bytesOf(list));
    expect(scanner.end().lines).toBe(lines);
  });

  it("counts every task of a REPEAT without making any", () => {
    const scanner = new TaskFileScanner({ lenient: false });
    scanner.feed(bytesOf("a\n#DISBATCH REPEAT 1000000000 b\r\n#DISBATCH BARRIER\n"));
    expect(scanner.end()).toEqual({ tasks: 1_000_000_001, barriers: 1, lines: 3, error: null, crlf: true });
  });

  it("counts up to where a lenient list is dropped", () => {
    const scanner = new TaskFileScanner({ lenient: true });
    scanner.feed(bytesOf("a\n#DISBATCH PERENGINE STOP b\nc\n"));
    expect(scanner.end()).toMatchObject({ tasks: 1, error: null });
  });
});
