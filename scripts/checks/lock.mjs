import { readFileSync } from "node:fs";
import path from "node:path";

/**
 * What package.json says, as far as the checks look at it.
 * @typedef {Record<string, string>} Specs names and versions
 * @typedef {object} Manifest
 * @property {string} [name]
 * @property {string} [version]
 * @property {readonly string[]} [workspaces]
 * @property {Specs} [scripts]
 * @property {Record<string, boolean>} [allowScripts]
 * @property {Specs} [dependencies]
 * @property {Specs} [devDependencies]
 * @property {Specs} [optionalDependencies]
 * @property {Specs} [peerDependencies]
 */

/**
 * One package of package-lock.json.
 * @typedef {object} LockEntryOnly
 * @property {string} [resolved]
 * @property {string} [integrity]
 * @property {unknown} [license]
 * @property {boolean} [link]
 * @property {boolean} [dev]
 * @property {boolean} [optional]
 * @property {boolean} [inBundle]
 * @property {boolean} [hasInstallScript]
 * @property {readonly string[]} [os]
 * @property {readonly string[]} [cpu]
 * @typedef {Manifest & LockEntryOnly} LockEntry
 * @typedef {{ lockfileVersion?: number, packages?: Record<string, LockEntry> }} Lock
 */

/**
 * What a check has to say: findings make it fail, notices do not.
 * @typedef {{ findings: string[], notices: string[] }} Outcome
 */

/**
 * The lock and the manifests of one repository, by their directory ("" is the top one).
 * @typedef {{ lock: Lock, manifests: Map<string, Manifest> }} Tree
 * @param {string} root
 * @returns {Tree}
 */
export function readTree(root) {
  const top = /** @type {Manifest} */ (readJson(path.join(root, "package.json")));
  const manifests = new Map([["", top]]);
  for (const place of top.workspaces ?? [])
    manifests.set(place, /** @type {Manifest} */ (readJson(path.join(root, place, "package.json"))));
  return { lock: /** @type {Lock} */ (readJson(path.join(root, "package-lock.json"))), manifests };
}

/**
 * @param {string} file
 * @returns {unknown}
 */
function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

/**
 * The packages of others in a lock, by place.
 * @param {Lock} lock
 * @returns {[place: string, entry: LockEntry][]}
 */
export function foreignEntries(lock) {
  return Object.entries(lock.packages ?? {}).filter(
    ([place, entry]) => isForeign(place) && entry.link !== true,
  );
}

/**
 * Whether something of others lies there, rather than a workspace of ours.
 * @param {string} place
 */
export function isForeign(place) {
  return place.split("/").includes("node_modules");
}

/**
 * The package's name from its place, which is all that a lock tells of most.
 * @param {string} place
 */
export function nameAt(place) {
  return place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
}
