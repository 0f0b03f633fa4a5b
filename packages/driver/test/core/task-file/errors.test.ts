import { describe, expect, it } from "vitest";
import { TaskFileParser, TaskFileScanner } from "../../../src/core/task-file/index.js";
import { briefly, bytesOf, messageOf, readItems } from "./read-items.js";

const refused: readonly [line: string, message: RegExp][] = [
  [
    "#DISBATCH FOO x",
    /^unknown directive "#DISBATCH FOO x"\. The directives are BARRIER, PERENGINE, PREFIX, REPEAT, RETRIES, SUFFIX, TIMEOUT\./,
  ],
  ["#DISBATCH ", /^unknown directive "#DISBATCH "\./],
  ["#DISBATCH constructor", /^unknown directive/],
  ["#DISBATCH barrier", /^malformed directive "#DISBATCH barrier"\. Write "#DISBATCH BARRIER".*upper case/],
  [
    "#DISBATCH  BARRIER",
    /^malformed directive "#DISBATCH {2}BARRIER"\. Exactly one space belongs after #DISBATCH/,
  ],
  [
    "#DISBATCH PREFIX",
    /^malformed directive "#DISBATCH PREFIX"\. Write "#DISBATCH PREFIX", one space and the text/,
  ],
  ["#DISBATCH SUFFIX", /^malformed directive "#DISBATCH SUFFIX"\. Write/],
  ["#DISBATCH REPEAT -1 x", /^malformed directive "#DISBATCH REPEAT -1 x"\. Write "#DISBATCH REPEAT count/],
  ["#DISBATCH REPEAT x", /^malformed/],
  ["#DISBATCH REPEAT 2cmd", /^malformed/],
  ["#DISBATCH REPEAT 2\tcmd", /^malformed directive "#DISBATCH REPEAT 2\\tcmd"/],
  ["#DISBATCH REPEAT2 x", /^malformed/],
  ["#DISBATCH PERENGINE START", /^malformed directive .*Write "#DISBATCH PERENGINE START command"/],
  ["#DISBATCH PERENGINE FOO x", /^malformed/],
];

describe("a line that is no directive but begins like one", () => {
  it.each(refused)("%j ends the list, with the line number, the text and what to write", (line, message) => {
    const items = readItems(`true\n\n${line}\nfalse\n`);
    expect(briefly(items)).toEqual(["0 line 1: true", `error line 3: ${line}`]);
    expect(messageOf(items[1])).toMatch(message);
  });

  it.each(refused)("%j is passed over and told when lenient", (line, message) => {
    const items = readItems(`true\n\n${line}\nfalse\n`, true);
    expect(briefly(items)).toEqual(["0 line 1: true", "notice line 3", "1 line 4: false"]);
    const [start] = message.source.replace(/^\^/, "").split(" ");
    expect(messageOf(items[1])).toMatch(new RegExp(`^${start} directive .* is passed over\\.`));
  });

  it("closes the block of PERENGINE lines when it is passed over", () => {
    const items = readItems("#DISBATCH FOO\n#DISBATCH PERENGINE START a\n", true);
    expect(briefly(items)).toEqual(["notice line 1", "notice line 2"]);
  });

  it("is shown without what could harm a terminal, and not at its full length", () => {
    const [error] = readItems(Buffer.from(`#DISBATCH \u001b[2J\u009b1m${"é".repeat(100_000)}\n`));
    const { text, message } = error?.kind === "error" ? error : { text: "", message: "" };
    expect(message).not.toMatch(/\p{Cc}/u);
    expect(message.length).toBeLessThan(600);
    expect(text).toMatch(/^#DISBATCH .*é…$/u);
  });
});

describe("PERENGINE in lower case", () => {
  const list = "#DISBATCH PERENGINE start a\ntrue\n";

  it("is an error that names START and STOP", () => {
    const [error] = readItems(list);
    expect(error).toMatchObject({ kind: "error", line: 1 });
    expect(messageOf(error)).toMatch(/START or STOP in upper case/);
  });

  it("is taken as upper case and told when lenient", () => {
    expect(briefly(readItems(list, true))).toEqual(["notice line 1", "start line 1: a", "0 line 2: true"]);
  });

  it("is too late like any other after a task", () => {
    expect(messageOf(readItems(`true\n${list}`).at(-1))).toContain("too late");
  });
});

describe("a late PERENGINE, lenient", () => {
  it("drops the rest of the list, told once, and the rest of its own line", () => {
    const items = readItems("true\n#DISBATCH PERENGINE STOP a\rb\nc\n#DISBATCH FOO\n", true);
    expect(briefly(items)).toEqual(["0 line 1: true", "notice line 2"]);
    expect(messageOf(items[1])).toMatch(/all that follow are dropped/);
  });
});

describe("after an error", () => {
  it("next says end for ever, whatever is fed", () => {
    const parser = new TaskFileParser({ lenient: false });
    parser.feed(bytesOf("#DISBATCH FOO\ntrue\n"));
    expect(parser.next()).toMatchObject({ kind: "error" });
    parser.feed(bytesOf("true\n"));
    expect([parser.next(), parser.next()]).toEqual(["end", "end"]);
  });

  it("the scanner keeps the first error and what it counted before it", () => {
    const scanner = new TaskFileScanner({ lenient: false });
    scanner.feed(bytesOf("true\n#DISBATCH REPEAT 3 x\n#DISBATCH FOO\ntrue\n#DISBATCH BAR\n"));
    expect(scanner.end()).toMatchObject({
      tasks: 4,
      barriers: 0,
      lines: 3,
      error: { line: 3, text: "#DISBATCH FOO" },
    });
  });
});
