import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../setup/root.mjs";

/** Everything a bundle is made from: our sources, what is installed, and how it is bundled. */
const trees = ["packages", "scripts/bundle"];
const files = ["package.json", "package-lock.json", "node_modules/.package-lock.json"];
const skipped = new Set(["node_modules", "test", "dist", "build"]);

/** A hash that changes whenever a build could come out differently. */
export function fingerprint() {
  const names = [...files, ...trees.flatMap((tree) => list(tree))].toSorted();
  return hashFiles(names.map((name) => path.join(root, name)));
}

/**
 * A hash of the files' names (without their directories' prefix `base`) and contents; a missing file counts as empty.
 * @param {readonly string[]} paths
 */
export function hashFiles(paths) {
  const hash = createHash("sha256");
  for (const file of paths) {
    const content = readIfThere(file);
    hash.update(`${path.relative(root, file)}\0${content?.length ?? "missing"}\0`);
    if (content !== undefined) hash.update(content);
  }
  return hash.digest("hex");
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/**
 * @param {string} directory
 * @returns {string[]}
 */
function list(directory) {
  return readdirSync(path.join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(directory, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : list(name);
    return entry.isFile() ? [name] : [];
  });
}
