import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isAllowed, licenceOutcome } from "../licences.mjs";
import { isStatic } from "../programs.mjs";
import { at, treeWith } from "./trees.mjs";

const line = "-".repeat(78);
const shipped = `What is contained.\n\n${line}\nused 2.0.0 (MIT)\n\nThe text of it.\n\n${line}\ninner 1.2.0 (ISC)\n\nAnother.\n`;

describe("the check of licences", () => {
  it("has nothing against those of the list, and does not care about what is not shipped", () => {
    expect(licenceOutcome(treeWith().lock, shipped)).toEqual({ findings: [], notices: [] });
  });

  /** @type {readonly [string, Parameters<typeof treeWith>[0], string, string][]} */
  const bad = [
    [
      "one of what could be shipped",
      (all) => (at(all, "node_modules/inner").license = "GPL-3.0"),
      shipped,
      "node_modules/inner has the licence GPL-3.0",
    ],
    [
      "a package that names none",
      (all) => delete at(all, "node_modules/inner").license,
      shipped,
      "node_modules/inner has the licence (none named)",
    ],
    [
      "one of what is shipped",
      undefined,
      shipped.replace("(ISC)", "(SEE LICENSE IN x)"),
      "inner 1.2.0 is in a bundle and has the licence SEE LICENSE IN x",
    ],
    [
      "a package in a bundle that is only there to build with",
      undefined,
      shipped.replace("inner 1.2.0", "builder 3.0.0"),
      "builder 3.0.0 is in a bundle, and is no dependency",
    ],
    [
      "another version in a bundle",
      undefined,
      shipped.replace("inner 1.2.0", "inner 1.1.0"),
      "inner 1.1.0 is in a bundle, and is no dependency",
    ],
    ["no list at all", undefined, "", "names no package: build first"],
  ];

  it.each(bad)("refuses %s", (_, change, text, words) => {
    expect(licenceOutcome(treeWith(change).lock, text).findings.join("\n")).toContain(words);
  });

  it("tells of a package without a text", () => {
    const without = shipped.replace(
      "Another.",
      "The package carries no licence text; its package.json says: ISC.",
    );
    expect(licenceOutcome(treeWith().lock, without).notices).toEqual([
      expect.stringContaining("inner 1.2.0 (ISC)"),
    ]);
  });
});

describe("an expression of licences", () => {
  it.each([
    "MIT",
    "(MIT OR GPL-3.0)",
    "GPL-3.0 OR MIT",
    "MIT AND ISC",
    "(MIT OR X) AND (X OR ISC)",
    "X AND Y OR MIT",
  ])("leaves us one of the list: %s", (expression) => {
    expect(isAllowed(expression)).toBe(true);
  });

  it.each([
    "",
    "X",
    "MIT AND GPL-3.0",
    "MIT X",
    "(MIT",
    "MIT)",
    "OR",
    "MIT OR",
    "X OR (MIT AND X)",
    null,
    ["MIT"],
  ])("leaves us none: %s", (expression) => {
    expect(isAllowed(expression)).toBe(false);
  });
});

describe("a program that holds its C library", () => {
  /** @param {readonly number[]} types of its segments */
  const program = (types) => {
    const bytes = Buffer.alloc(64 + 56 * types.length);
    bytes.write("\u007fELF\u0002\u0001", "latin1");
    bytes.writeBigUInt64LE(64n, 32);
    bytes.writeUInt16LE(56, 54);
    bytes.writeUInt16LE(types.length, 56);
    for (const [index, type] of types.entries()) bytes.writeUInt32LE(type, 64 + 56 * index);
    return bytes;
  };

  it("is one that asks for no dynamic linker", () => {
    expect(isStatic(program([1, 1, 4]))).toBe(true);
  });

  it.each([
    ["one that does", program([1, 3, 4])],
    ["a text", Buffer.from("#!/bin/sh\n".repeat(20))],
    ["what is cut short", program([1]).subarray(0, 40)],
    ["nothing", Buffer.alloc(0)],
    ["this Node", readFileSync(process.execPath)],
  ])("is not %s", (_, bytes) => {
    expect(isStatic(bytes)).toBe(false);
  });
});
