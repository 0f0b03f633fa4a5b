import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatRow, parsePythonBytesRepr, parseRow } from "../../../src/core/status-line/index.js";
import { anyRow, row } from "./rows.js";

describe("parseRow", () => {
  it("is the inverse of formatRow, but for commands that read like Python's b'…'", () => {
    fc.assert(
      fc.property(anyRow, (given) => {
        fc.pre(parsePythonBytesRepr(given.command.toString()) === null);
        const parsed = parseRow(formatRow(given));
        expect(parsed && { ...parsed, command: [...parsed.command] }).toEqual({
          ...given,
          command: [...given.command],
        });
      }),
      { numRuns: 3000 },
    );
  });

  it("gives a row that formatRow writes the same way, always", () => {
    fc.assert(
      fc.property(anyRow, fc.uint8Array({ maxLength: 10 }), (given, bytes) => {
        const repr = Buffer.from(`b'${Buffer.from(bytes).toString("latin1")}'`, "latin1");
        for (const line of [formatRow(given), formatRow({ ...given, command: repr })]) {
          const parsed = parseRow(line);
          expect(parsed && formatRow(parsed)).toEqual(line);
        }
      }),
    );
  });

  it("takes a line with or without its end", () => {
    const line = formatRow(row());
    expect(parseRow(line.subarray(0, -1))).toEqual(parseRow(line));
  });

  it.each([
    ["b'caf\\xe9'", "the bytes", Buffer.from("caf\xe9", "latin1")],
    ["b'caf'", "the text, for as bytes it would be UTF-8 and stand here itself", Buffer.from("b'caf'")],
    ["b'caf\\xE9'", "the text, for Python writes lower case", Buffer.from("b'caf\\xE9'")],
    ["b'\\xff' 2>&1", "the text, for it goes on", Buffer.from("b'\\xff' 2>&1")],
  ])("takes the command %s for %s", (shown, _what, command) => {
    const line = formatRow(row({ command: Buffer.from("@") }))
      .toString()
      .replace("@", () => shown);
    expect(Buffer.from(parseRow(Buffer.from(line))?.command ?? [])).toEqual(command);
  });

  const good = formatRow(row({ outSnippet: "'a'" })).toString();
  it.each([
    ["an empty line", ""],
    ["one column too few", good.split("\t").slice(0, 14).join("\t")],
    ["unknown flags", good.replace(/^.{4}/, "X   ")],
    ["a barrier's flags of four characters", good.replace(/^.{4}/, "B   ")],
    ["an id that is no number", good.replace("\t0\t9\t", "\tx\t9\t")],
    ["an empty number", good.replace("\t0\t9\t", "\t\t9\t")],
    ["a time that is no number", good.replace("0.005", "soon")],
    ["a snippet without quotes", good.replace("'a'", "a")],
  ])("says null for %s", (_what, line) => {
    expect(parseRow(Buffer.from(good))).not.toBeNull();
    expect(parseRow(Buffer.from(line))).toBeNull();
  });
});
