import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pythonReprOfStr } from "../../../src/core/status-line/index.js";
import { textOfPythonRepr } from "../../../src/core/status-line/python-str.js";

describe("the text of Python's repr", () => {
  it.each([
    ["''", ""],
    ["'a b'", "a b"],
    [`"it's"`, "it's"],
    [String.raw`'both \' and "'`, `both ' and "`],
    [String.raw`'1\n\t\r\\n'`, "1\n\t\r\\n"],
    [String.raw`'\xa0\u200b\U000e0001'`, "\u00a0\u200b\u{e0001}"],
  ])("%s", (repr, text) => {
    expect(textOfPythonRepr(repr)).toBe(text);
  });

  it("is what was shown, whatever it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(textOfPythonRepr(pythonReprOfStr(text))).toBe(text);
      }),
    );
  });
});
