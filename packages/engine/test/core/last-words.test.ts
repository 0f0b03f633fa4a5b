import { describe, expect, it } from "vitest";
import { LastWords, engineWords } from "../../src/core/last-words.js";

describe("LastWords", () => {
  it("keeps lines, however they come, and not the empty ones", () => {
    const words = new LastWords();
    for (const text of ["one\n\ntw", "o\r\n", "three\rfour"]) words.add(text);
    expect(words.lines).toEqual(["one", "two", "three", "four"]);
  });

  it("keeps the first and the last of very many, and the beginning of very long ones", () => {
    const words = new LastWords();
    for (let index = 0; index < 100_000; index++) words.add(`line ${index}\n`);
    expect(words.lines).toHaveLength(24);
    expect([words.lines[0], words.lines.at(-1)]).toEqual(["line 0", "line 99999"]);
    words.add("x".repeat(10_000_000));
    expect(words.lines.at(-1)).toBe("x".repeat(400));
  });
});

describe("an engine's own words", () => {
  it("are told from those of what connects us to it", () => {
    const lines = [
      "Authorized users only",
      "srun: something",
      "engine: the disk is full",
      "    at a.ts:1",
      "Killed",
    ];
    expect(engineWords(lines)).toBe("engine: the disk is full");
    expect(engineWords(["/a.js:1", "Error: no such thing", "  at"])).toBe("Error: no such thing");
    expect(engineWords(["engine: cannot reach it:", "unix:///s: too many open files", "more"])).toBe(
      "engine: cannot reach it: unix:///s: too many open files",
    );
    expect(
      engineWords(["<--- Last few GCs --->", "[1] Scavenge", "FATAL ERROR: heap out of memory", "#"]),
    ).toBe("FATAL ERROR: heap out of memory");
    expect(engineWords(["srun: error: node01: task 0: Exited with exit code 4"])).toBe("");
    expect(engineWords(["cannot execute", "binary file", "more"])).toBe("cannot execute binary file");
  });
});
