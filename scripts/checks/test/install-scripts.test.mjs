import { describe, expect, it } from "vitest";
import { root } from "../../setup/root.mjs";
import { checkInstallScripts, installScriptFindings } from "../install-scripts.mjs";
import { at, treeWith } from "./trees.mjs";

const known = new Map([["builder", "it only looks around"]]);

describe("the check of install scripts", () => {
  it("has nothing against those that are on the list, and none runs", () => {
    expect(installScriptFindings(treeWith(), known)).toEqual([]);
  });

  /** @type {readonly [string, Parameters<typeof treeWith>[0], string][]} */
  const bad = [
    [
      "a new one",
      (all) => (at(all, "node_modules/used").hasInstallScript = true),
      "used 2.0.0 (node_modules/used) has an install script that nobody has looked at",
    ],
    [
      "one of a package inside of another",
      (all) => (all["node_modules/used/node_modules/@a/b"] = { version: "1.0.0", hasInstallScript: true }),
      "@a/b 1.0.0",
    ],
    ["one that npm would run", (_, top) => (top.allowScripts = {}), "must say false of builder"],
    [
      "one that npm is told to run",
      (_, top) => (top.allowScripts = { builder: true }),
      "must say false of builder",
    ],
    [
      "an entry for what is gone",
      (all) => delete at(all, "node_modules/builder").hasInstallScript,
      "builder has no install script any more",
    ],
    [
      "a word to npm about what has none",
      (_, top) => (top.allowScripts = { builder: false, used: false }),
      "names used, which has no install script",
    ],
    [
      "one of our own",
      (_, top) => (top.scripts = { postinstall: "node evil.js" }),
      "has a script postinstall",
    ],
    [
      "one of a part of ours",
      (_, __, part) => (part.scripts = { install: "make" }),
      "part package.json has a script install",
    ],
  ];

  it.each(bad)("refuses %s", (_, change, words) => {
    expect(installScriptFindings(treeWith(change), known).join("\n")).toContain(words);
  });

  it("is passed by what we depend on", () => {
    expect(checkInstallScripts(root).findings).toEqual([]);
  });
});
