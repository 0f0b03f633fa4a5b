import { describe, expect, it } from "vitest";
import { parseDuration } from "../../src/core/duration.js";

describe("parseDuration", () => {
  it.each([
    ["90", 90_000],
    ["0.5", 500],
    [".25", 250],
    ["1.", 1000],
    ["90s", 90_000],
    ["15m", 900_000],
    ["1.5H", 5_400_000],
    ["2d", 172_800_000],
    ["0", 0],
    ["0.0001", 0],
    ["3650d", 315_360_000_000],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    "",
    "s",
    ".",
    "-1",
    "+1",
    "1e3",
    "1 m",
    " 1",
    "1w",
    "1m30s",
    "0x10",
    "Infinity",
    "3651d",
    "999999999999d",
    "1ss",
    "١",
  ])("%j is none", (text) => {
    expect(parseDuration(text)).toBeNull();
  });
});
