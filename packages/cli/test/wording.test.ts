import { spawnSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  duration,
  lastLine,
  plural,
  printable,
  rateText,
  returnCodeText,
  shellWord,
} from "../src/wording.js";

const hasLoneSurrogate = (text: string): boolean => /\p{Surrogate}/u.test(text);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("shellWord", () => {
  it("leaves plain words as they are", () => {
    for (const word of ["driver", "-r", "/a/b_1.txt", "localhost:4", "--prefix=x", "a@b", "50%", "1,2"]) {
      expect(shellWord(word)).toBe(word);
    }
    expect(["", "~", "a b", "*", "$x", "a\nb", "it's", "!", "#x", "é"].map(shellWord)).toEqual([
      "''",
      "'~'",
      "'a b'",
      "'*'",
      "'$x'",
      "'a\nb'",
      "'it'\\''s'",
      "'!'",
      "'#x'",
      "'é'",
    ]);
  });

  it.each(["bash", "sh"])("is read by %s as exactly that word, whatever it holds", (shell) => {
    const nasty = fc.constantFrom(
      "'",
      "''",
      '"',
      "$(id)",
      "`id`",
      "\\",
      "\n",
      "\r",
      "\t",
      " ",
      "*",
      "?",
      "~",
      "!",
      "#",
      "-",
      ";",
      "&",
    );
    const word = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "binary" }),
      fc.string({ unit: "binary-ascii" }),
      fc.array(nasty).map((parts) => parts.join("")),
    );
    const words = fc.array(
      word.filter((text) => !text.includes("\0") && !hasLoneSurrogate(text)),
      { minLength: 1, maxLength: 50 },
    );
    fc.assert(
      fc.property(words, (list) => {
        const script = `printf '%s\\0' ${list.map(shellWord).join(" ")}`;
        const { stdout, stderr, status } = spawnSync(shell, ["-c", script], {
          encoding: "utf8",
          timeout: 10_000,
        });
        expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
        expect(stdout.split("\0").slice(0, -1)).toEqual(list);
      }),
      { numRuns: 60 },
    );
  });
});

describe("duration", () => {
  it.each([
    [0, "0 s"],
    [-3, "0 s"],
    [59.4, "59 s"],
    [59.6, "1:00"],
    [245, "4:05"],
    [3599.9, "1:00:00"],
    [11_045, "3:04:05"],
    [86_399, "23:59:59"],
    [183_845, "2 d 03:04:05"],
  ])("%s seconds are %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe("rateText", () => {
  it.each([
    [1234.5, "1235/s"],
    [12.34, "12.3/s"],
    [1, "1.0/s"],
    [0.5, "30.0/min"],
    [1 / 60, "1.0/min"],
    [1 / 3600, "1.0/h"],
  ])("%s a second is %s", (rate, text) => {
    expect(rateText(rate)).toBe(text);
  });
});

describe("returnCodeText", () => {
  it("tells exit, signal and loss apart", () => {
    expect([0, 3, 200, -9, -15, -64, -100].map(returnCodeText)).toEqual([
      "exit 0",
      "exit 3",
      "exit 200",
      "signal 9 (KILL)",
      "signal 15 (TERM)",
      "signal 64",
      "lost with its engine",
    ]);
  });
});

describe("plural", () => {
  it("counts", () => {
    expect([plural(0, "task"), plural(1, "task"), plural(2, "task")]).toEqual([
      "0 tasks",
      "1 task",
      "2 tasks",
    ]);
  });
});

describe("printable", () => {
  it("keeps what could move the cursor or change colours away from a terminal", () => {
    expect(printable(bytes("a\u001b[31mred\u001b[0m\r\nb\tc\u009b2Jd\u007f"), 100)).toBe(
      "a [31mred [0m b c 2Jd",
    );
    expect(printable(Uint8Array.of(0x63, 0xff, 0x9b), 100)).toBe("c\ufffd\ufffd");
  });

  it("is one line of at most so many characters for any bytes, and cuts no character in half", () => {
    const anything = fc.oneof(
      fc.uint8Array(),
      fc.string({ unit: "grapheme" }).map(bytes),
      fc.constant(bytes("😀".repeat(30))),
    );
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 40 }), (input, most) => {
        for (const text of [printable(input, most), lastLine(input, most)]) {
          expect([...text].length).toBeLessThanOrEqual(most);
          // oxlint-disable-next-line no-control-regex -- these are what must not be there
          expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
          expect(hasLoneSurrogate(text)).toBe(false);
        }
      }),
    );
  });

  it("says that something was cut off", () => {
    expect(printable(bytes("abcdef"), 6)).toBe("abcdef");
    expect(printable(bytes("abcdefg"), 6)).toBe("abcde…");
  });
});

describe("lastLine", () => {
  it("is the last line that says something, and its end where it is long", () => {
    expect(lastLine(bytes("one\ntwo\n\n  \n"), 20)).toBe("two");
    expect(lastLine(bytes("one\r\ntwo\r\n"), 20)).toBe("two");
    expect(lastLine(bytes(""), 20)).toBe("");
    expect(lastLine(bytes("abcdefghij"), 5)).toBe("…ghij");
  });
});
