import { ByteWriter } from "@taskmuster/kvs/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  commandColumn,
  parsePythonBytesRepr,
  pythonReprOfBytes,
  pythonReprOfStr,
  snippetText,
} from "../../../src/core/status-line/index.js";
import { formatSeconds, writeSeconds } from "../../../src/core/status-line/seconds.js";

// What Python 3.11 gave for the same input.

describe("pythonReprOfStr", () => {
  it.each([
    ["", "''"],
    ["plain text", "'plain text'"],
    ["it's", `"it's"`],
    ['say "hi"', `'say "hi"'`],
    [`it's "both"`, `'it\\'s "both"'`],
    ["back\\slash", "'back\\\\slash'"],
    ["\t\n\r", "'\\t\\n\\r'"],
    ["\0\x01\x1b\x1f\x7f", "'\\x00\\x01\\x1b\\x1f\\x7f'"],
    ["\x80\x9f\xa0\xad", "'\\x80\\x9f\\xa0\\xad'"],
    ["\xa1é ÿ", "'\xa1é ÿ'"],
    ["\u200b\u2028\u2029\u3000\ufeff", "'\\u200b\\u2028\\u2029\\u3000\\ufeff'"],
    ["\u0378\ue000\ufffe", "'\\u0378\\ue000\\ufffe'"],
    ["\ufffd", "'\ufffd'"],
    ["😀𝒳", "'😀𝒳'"],
    ["\u{e0001}\u{f0000}\u{10ffff}", "'\\U000e0001\\U000f0000\\U0010ffff'"],
    ["\ud800", "'\\ud800'"],
    ["'\n", `"'\\n"`],
  ])("of %j is what Python writes", (text, repr) => {
    expect(pythonReprOfStr(text)).toBe(repr);
  });
});

describe("pythonReprOfBytes", () => {
  it.each([
    ["", "b''"],
    ["caf\xe9", "b'caf\\xe9'"],
    ["it's \xff", `b"it's \\xff"`],
    ['"\xff"', `b'"\\xff"'`],
    [`it's "\xff"`, `b'it\\'s "\\xff"'`],
    ["\\\t\n\r\0\x0b\x7f\x80", "b'\\\\\\t\\n\\r\\x00\\x0b\\x7f\\x80'"],
  ])("of %j is what Python writes", (text, repr) => {
    expect(pythonReprOfBytes(Buffer.from(text, "latin1"))).toBe(repr);
  });

  it("is undone by parsePythonBytesRepr", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect([...(parsePythonBytesRepr(pythonReprOfBytes(bytes)) ?? [])]).toEqual([...bytes]);
      }),
    );
  });

  it.each([
    "",
    "b",
    "b'",
    "b'a",
    "'a'",
    `b'a"`,
    "b'\\x4'",
    "b'\\x41'",
    `b"a"`,
    "b'\\'",
    "b'a'b'",
    "b'é'",
    "B'a'",
  ])("does not write %s, so parsePythonBytesRepr says null", (text) => {
    expect(parsePythonBytesRepr(text)).toBeNull();
  });
});

describe("snippetText", () => {
  it.each([
    ["", "''"],
    ["6869 0a", "'hi\\n'"],
    ["63 c3a9", "'cé'"],
    ["ff fe 20 c3", "'\ufffd\ufffd \ufffd'"],
    ["e2 82", "'\ufffd'"],
    ["e2 82 41", "'\ufffdA'"],
    ["f0 9f 98", "'\ufffd'"],
    ["ed a0 80", "'\ufffd\ufffd\ufffd'"],
    ["f4 90 80 80", "'\ufffd\ufffd\ufffd\ufffd'"],
    ["c0 80", "'\ufffd\ufffd'"],
    ["ef bb bf 62", "'\\ufeffb'"],
  ])("of the bytes %s is what Python shows", (hex, text) => {
    expect(snippetText(Buffer.from(hex.replaceAll(" ", ""), "hex"))).toBe(text);
  });
});

describe("commandColumn", () => {
  it("is the command itself if that is UTF-8, whatever it holds", () => {
    for (const text of ["echo a", "\ttabs\t", "é😀", "\ufeffbom", "nul\0", "b'\\xff'"]) {
      expect(Buffer.from(commandColumn(Buffer.from(text))).toString()).toBe(text);
    }
  });

  it.each(["ff", "c3", "eda080", "c080", "f4908080"])(
    "is Python's bytes for %s, which is no UTF-8",
    (hex) => {
      const column = Buffer.from(commandColumn(Buffer.from(hex, "hex"))).toString();
      expect(column).toBe(`b'${hex.replaceAll(/../g, "\\x$&")}'`);
    },
  );
});

describe("formatSeconds", () => {
  it.each([
    [0, "0.000"],
    [0.0004999, "0.000"],
    [0.0625, "0.062"],
    [0.1875, "0.188"],
    [2.0625, "2.062"],
    [2.9375, "2.938"],
    [0.0005, "0.001"],
    [1.0005, "1.000"],
    [-0.0625, "-0.062"],
    [1795205915.8125, "1795205915.812"],
    [1795205915.848, "1795205915.848"],
    [165.0855, "165.085"],
  ])("of %d is what Python's %%.3f writes", (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});

describe("writeSeconds", () => {
  function written(seconds: number): string {
    const writer = new ByteWriter(0);
    writeSeconds(writer, seconds);
    return writer.written.toString();
  }

  it("writes what formatSeconds says", () => {
    const numbers = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ min: 0, max: 5_000_000_000, noNaN: true }),
      fc.integer({ min: 0, max: 4_000_000_000_000 }).map((ms) => ms / 1000),
    );
    fc.assert(
      fc.property(numbers, (seconds) => {
        expect(written(seconds)).toBe(formatSeconds(seconds));
      }),
      { numRuns: 5_000 },
    );
  });

  it("does so at and beside the middle of two results, where rounding is decided", () => {
    for (const whole of [0, 1, 59, 1_795_205_915, 2_147_483_646]) {
      for (let half = 0; half < 1_000; half++) {
        const middle = whole + (half + 0.5) / 1000;
        for (const ulps of [-3, -1, 0, 1, 3]) {
          const seconds = middle + ulps * Number.EPSILON * Math.max(middle, 1);
          expect(written(seconds)).toBe(formatSeconds(seconds));
        }
      }
    }
  });
});
