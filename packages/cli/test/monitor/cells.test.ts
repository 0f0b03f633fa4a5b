import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clean, column, cut, cutStart, firstCells, textCells, wrap } from "../../src/monitor/render/cells.js";

describe("text in cells of a terminal", () => {
  it("is as wide as the terminal shows it", () => {
    expect(textCells("node17")).toBe(6);
    expect(textCells("café")).toBe(4);
    expect(textCells("cafe\u0301")).toBe(4);
    expect(textCells("日本語")).toBe(6);
    expect(textCells("한글 ｱ Ａ")).toBe(9);
    expect(textCells("🚀 ok")).toBe(5);
    expect(textCells("━█▾●…")).toBe(5);
  });

  it("loses what would move the cursor, change colours or turn the writing", () => {
    expect(clean("a\tb\nc\u0007d\u007f")).toBe("a b c d ");
    expect(clean("\u001b[1;31mError\u001b[0m: \u001b]0;title\u0007no")).not.toMatch(/[\p{Cc}]/u);
    expect(clean("\u001b[31mError\u001b[0m")).toBe("Error");
    expect(clean("abc\u202edef\u200b")).toBe("abcdef");
    expect(clean("\ud83d")).toBe("");
    expect(clean("👩\u200d👩\u200d👧 ❤\ufe0f 🇩🇪")).toBe("👩👩👧 ❤ DE");
  });

  it("shows where it was cut", () => {
    expect(cut("python3 train.py", 10)).toBe("python3 t…");
    expect(cut("日本語", 4)).toBe("日…");
    expect(cut("short", 5)).toBe("short");
    expect(cutStart("/home/ada/sweep/run", 10)).toBe("…sweep/run");
    expect(cut("x", 0)).toBe("");
  });

  it("is broken between words, and long words anywhere", () => {
    expect(wrap("These tasks finish; the engine leaves.", 14)).toEqual([
      "These tasks",
      "finish; the",
      "engine leaves.",
    ]);
    expect(wrap("abcdefghijkl", 5)).toEqual(["abcde", "fghij", "kl"]);
    expect(wrap("", 5)).toEqual([""]);
  });

  it("keeps its columns whatever stands in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 0, max: 30 }), (raw, cells) => {
        const text = clean(raw);
        expect(textCells(column(text, cells))).toBe(cells);
        expect(textCells(column(text, cells, "right"))).toBe(cells);
        expect(textCells(firstCells(text, cells))).toBeLessThanOrEqual(cells);
        if (cells >= 2)
          for (const line of wrap(text, cells)) expect(textCells(line)).toBeLessThanOrEqual(cells);
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
      { numRuns: 500 },
    );
  });
});
