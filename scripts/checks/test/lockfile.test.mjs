import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { root } from "../../setup/root.mjs";
import { checkLockfile, lockfileOutcome } from "../lockfile.mjs";
import { at, treeWith } from "./trees.mjs";

/** @typedef {import("../lock.mjs").Tree} Tree */

describe("the check of the lockfile", () => {
  it("has nothing against a good one, and tells which packages of other platforms have no hash", () => {
    const { findings, notices } = lockfileOutcome(treeWith());
    expect(findings).toEqual([]);
    expect(notices).toEqual([expect.stringContaining("node_modules/inner-darwin")]);
  });

  /** @type {readonly [string, Parameters<typeof treeWith>[0], string][]} */
  const bad = [
    [
      "another version than package.json wants",
      (all) => (at(all, "part").dependencies = { used: "2.0.1" }),
      "used is 2.0.0 there, and 2.0.1 in package-lock.json",
    ],
    [
      "a dependency that package.json has and the lock has not",
      (_, top) => (top.devDependencies = { builder: "3.0.0", more: "1.0.0" }),
      "more is 1.0.0 there, and nothing",
    ],
    [
      "a dependency that only the lock has",
      (all) => (at(all, "").dependencies = { stale: "1.0.0" }),
      "stale is nothing there, and 1.0.0",
    ],
    [
      "another version of ours",
      (_, top) => (top.version = "1.1.0"),
      "says version 1.1.0, package-lock.json 1.0.0",
    ],
    [
      "a workspace that the lock does not know",
      (all) => delete all["part"],
      "part/package.json is not in package-lock.json",
    ],
    [
      "a workspace that package.json does not know",
      (all) => (all["other"] = { version: "1.0.0" }),
      "other is in package-lock.json, and no workspace",
    ],
    [
      "a range of ours",
      (all, _, part) => (part.dependencies = at(all, "part").dependencies = { used: "^2.0.0" }),
      "wants used ^2.0.0: name one version exactly",
    ],
    [
      "no hash",
      (all) => delete at(all, "node_modules/used").integrity,
      "node_modules/used has no sha512 hash",
    ],
    [
      "a weak hash",
      (all) => (at(all, "node_modules/used").integrity = "sha1-AAAA"),
      "node_modules/used has no sha512 hash",
    ],
    [
      "no hash of what is optional everywhere",
      (all) => delete at(all, "node_modules/inner-darwin").os,
      "node_modules/inner-darwin has no sha512 hash",
    ],
    [
      "another registry",
      (all) => (at(all, "node_modules/used").resolved = "https://mirror.example/used.tgz"),
      "comes from https://mirror.example/used.tgz",
    ],
    [
      "a registry without encryption",
      (all) => (at(all, "node_modules/used").resolved = "http://registry.npmjs.org/used.tgz"),
      "comes from http://",
    ],
    [
      "a name that begins like the registry's",
      (all) => (at(all, "node_modules/used").resolved = "https://registry.npmjs.org.example/u.tgz"),
      "comes from https://registry.npmjs.org.example",
    ],
    [
      "a git repository",
      (all) => (at(all, "node_modules/used").resolved = "git+ssh://git@host/used.git#1"),
      "comes from git+ssh",
    ],
    [
      "a link to elsewhere",
      (all) => (all["node_modules/used"] = { resolved: "../used", link: true }),
      "is a link to ../used, which is no workspace",
    ],
    [
      "a dependency of a dependency from git",
      (all) => (at(all, "node_modules/used").dependencies = { inner: "git+https://host/inner.git" }),
      "wants inner from git+https",
    ],
    [
      "a dependency of a dependency by its repository",
      (all) => (at(all, "node_modules/used").dependencies = { inner: "somebody/inner" }),
      "wants inner from somebody/inner",
    ],
    [
      "a dependency of a dependency from a web page",
      (all) => (at(all, "node_modules/used").optionalDependencies = { inner: "https://host/inner.tgz" }),
      "wants inner from https",
    ],
  ];

  it.each(bad)("refuses %s", (_, change, words) => {
    expect(lockfileOutcome(treeWith(change)).findings.join("\n")).toContain(words);
  });

  it("refuses a lock of another version of npm", () => {
    const { lock, manifests } = treeWith();
    expect(lockfileOutcome({ lock: { ...lock, lockfileVersion: 2 }, manifests }).findings).toHaveLength(1);
  });

  it("takes another name for a package of the registry, and a package that comes inside of another", () => {
    const tree = treeWith((all) => {
      at(all, "node_modules/used").dependencies = { inner: "npm:@scope/inner@^1.0.0" };
      at(all, "node_modules/inner").inBundle = true;
      delete at(all, "node_modules/inner").integrity;
    });
    expect(lockfileOutcome(tree).findings).toEqual([]);
  });
});

describe("npm's own opinion", () => {
  /** @type {string[]} */
  const directories = [];
  afterEach(() => {
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
  });

  /** @param {Tree} tree */
  const written = ({ lock, manifests }) => {
    const directory = mkdtempSync(path.join(tmpdir(), "taskmuster-check-"));
    directories.push(directory);
    for (const [place, manifest] of manifests) {
      mkdirSync(path.join(directory, place), { recursive: true });
      writeFileSync(path.join(directory, place, "package.json"), JSON.stringify(manifest));
    }
    writeFileSync(path.join(directory, "package-lock.json"), JSON.stringify(lock));
    return directory;
  };

  it("is asked, and agrees with a good lock", () => {
    expect(checkLockfile(written(treeWith())).findings).toEqual([]);
  });

  it("finds a dependency of a dependency that is not in the range that is wanted", () => {
    const tree = treeWith((all) => (at(all, "node_modules/inner").version = "2.0.0"));
    expect(lockfileOutcome(tree).findings).toEqual([]);
    expect(checkLockfile(written(tree)).findings).toEqual([expect.stringContaining("invalid: inner@2.0.0")]);
  });

  it("finds a dependency of a dependency that is not there", () => {
    const tree = treeWith((all) => delete all["node_modules/inner"]);
    expect(lockfileOutcome(tree).findings).toEqual([]);
    expect(checkLockfile(written(tree)).findings).toEqual([expect.stringContaining("missing: inner@^1.0.0")]);
  });

  it("is good of our own lock", () => {
    expect(checkLockfile(root).findings).toEqual([]);
  });
});
