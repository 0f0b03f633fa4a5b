import { describe, expect, it } from "vitest";
import { rowNames } from "./figures/result.js";
import { UsageError, parseOptions, usage } from "./options.js";

describe("the benchmark's options", () => {
  it("measure every row unless told otherwise", () => {
    expect(parseOptions([])).toMatchObject({ only: rowNames, runs: 5, quick: false, write: false, hq: null });
  });

  it("take their values as the next word or after an equals sign", () => {
    const options = parseOptions(["--only", "c,a", "--runs=3", "--hq", "/x/hq", "--from=a=b,c", "--write"]);
    expect(options).toMatchObject({
      only: ["a", "c"],
      runs: 3,
      hq: "/x/hq",
      from: ["a=b", "c"],
      write: true,
    });
  });

  it.each([
    [["--rnus", "3"], "--rnus"],
    [["a"], '"a"'],
    [["--quick=yes"], "--quick=yes"],
    [["--runs"], "--runs needs a value"],
    [["--runs", "0"], "--runs takes a whole number"],
    [["--only", "a,z"], '"z"'],
    [["--from", "x"], "--from is for --write"],
  ])("refuse %j by name", (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });

  it("are all told of in the usage", () => {
    for (const name of usage.matchAll(/^ {2}(--[a-z-]+)( [A-Za-z])?/gm)) {
      const args = name[2] === undefined ? [name[1] ?? ""] : [name[1] ?? "", "1"];
      // Those that refuse this value know their name.
      expect(() => parseOptions(args)).not.toThrow("unknown option");
    }
  });
});
