import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { foreignEntries, isForeign, readTree } from "./lock.mjs";
import { runNpm } from "./npm.mjs";

/** @typedef {import("./lock.mjs").Outcome} Outcome */
/** @typedef {import("./lock.mjs").Tree} Tree */
/** @typedef {import("./lock.mjs").Manifest} Manifest */
/** @typedef {import("./lock.mjs").LockEntry} LockEntry */

const registry = "https://registry.npmjs.org/";
const kinds = /** @type {const} */ ([
  "dependencies",
  "devDependencies",
  "optionalDependencies",
  "peerDependencies",
]);
const mend = "mend it with npm install, and look at what changes";

/**
 * package-lock.json is what package.json says, and nothing in it comes from elsewhere than the public registry, unchecked.
 * @param {string} root
 * @returns {Outcome}
 */
export function checkLockfile(root) {
  const tree = readTree(root);
  const { findings, notices } = lockfileOutcome(tree);
  if (findings.length === 0) findings.push(...npmsOpinion(root, [...tree.manifests.keys()]));
  return { findings, notices };
}

/**
 * All that can be said without npm.
 * @param {Tree} tree
 * @returns {Outcome}
 */
export function lockfileOutcome({ lock, manifests }) {
  const findings = [];
  if (lock.lockfileVersion !== 3)
    findings.push(`package-lock.json has version ${lock.lockfileVersion}, not 3`);
  for (const [place, manifest] of manifests)
    findings.push(...differences(place, manifest, lock.packages?.[place]), ...looseSpecs(place, manifest));
  for (const [place, entry] of Object.entries(lock.packages ?? {})) {
    if (entry.link === true && !manifests.has(entry.resolved ?? ""))
      findings.push(`${place} is a link to ${entry.resolved}, which is no workspace of ours`);
    else if (!isForeign(place) && !manifests.has(place))
      findings.push(`${place} is in package-lock.json, and no workspace of package.json; ${mend}`);
  }
  const unchecked = [];
  for (const [place, entry] of foreignEntries(lock)) {
    findings.push(...wrongSources(place, entry));
    if (entry.integrity?.startsWith("sha512-") || entry.inBundle === true) continue; // the hash of the package that brings it holds for it
    // The registry that wrote the lock need not have had what no machine of ours installs.
    if (entry.optional === true && (entry.os !== undefined || entry.cpu !== undefined)) unchecked.push(place);
    else
      findings.push(
        `${place} has no sha512 hash in package-lock.json: it would be installed unseen; ${mend}`,
      );
  }
  const notices =
    unchecked.length === 0
      ? []
      : [
          `${unchecked.length} packages for other platforms have no hash, as ${unchecked[0]}: the registry did not have them`,
        ];
  return { findings, notices };
}

/**
 * @param {string} place
 * @param {Manifest} manifest
 * @param {LockEntry | undefined} locked
 */
function differences(place, manifest, locked) {
  const file = path.posix.join(place, "package.json");
  if (locked === undefined) return [`${file} is not in package-lock.json; ${mend}`];
  const findings = [];
  for (const field of /** @type {const} */ (["name", "version"])) {
    // npm leaves a name out that is the directory's.
    const said = locked[field] ?? (field === "name" ? manifest.name : undefined);
    if (said !== manifest[field])
      findings.push(`${file} says ${field} ${manifest[field]}, package-lock.json ${said}; ${mend}`);
  }
  for (const kind of kinds) {
    const [ours, theirs] = [manifest[kind] ?? {}, locked[kind] ?? {}];
    for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
      if (ours[name] === theirs[name]) continue;
      const [one, other] = [ours[name] ?? "nothing", theirs[name] ?? "nothing"];
      findings.push(
        `${kind} of ${file}: ${name} is ${one} there, and ${other} in package-lock.json; ${mend}`,
      );
    }
  }
  return findings;
}

/**
 * What is not exactly one version of the registry.
 * @param {string} place
 * @param {Manifest} manifest
 */
function looseSpecs(place, manifest) {
  return kinds.flatMap((kind) =>
    Object.entries(manifest[kind] ?? {})
      .filter(([, spec]) => !/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(spec))
      .map(
        ([name, spec]) =>
          `${path.posix.join(place, "package.json")} wants ${name} ${spec}: name one version exactly`,
      ),
  );
}

/**
 * @param {string} place
 * @param {LockEntry} entry
 */
function wrongSources(place, entry) {
  const findings = [];
  if (entry.version === undefined) findings.push(`${place} has no version in package-lock.json`);
  if (entry.resolved !== undefined && !entry.resolved.startsWith(registry))
    findings.push(`${place} comes from ${entry.resolved}: only ${registry} is allowed`);
  for (const kind of kinds) {
    for (const [name, spec] of Object.entries(entry[kind] ?? {})) {
      if (isElsewhere(spec))
        findings.push(`${place} wants ${name} from ${spec}: only versions of the registry are allowed`);
    }
  }
  return findings;
}

/**
 * A URL, a path or `user/repository`, and not a version, a range, a tag or another name for a package.
 * @param {string} spec
 */
function isElsewhere(spec) {
  return !spec.startsWith("npm:") && /^[a-z+]+:|\//i.test(spec);
}

/**
 * npm itself on a copy, which needs neither a network nor anything installed: it knows whether all ranges are met. (`npm ci` takes the
 * word of the lock for what it says of the packages of others.)
 * @param {string} root
 * @param {readonly string[]} places
 */
function npmsOpinion(root, places) {
  const copy = mkdtempSync(path.join(tmpdir(), "taskmuster-lock-"));
  try {
    for (const file of [
      ".npmrc",
      "package-lock.json",
      ...places.map((place) => path.join(place, "package.json")),
    ]) {
      if (!existsSync(path.join(root, file))) continue;
      mkdirSync(path.dirname(path.join(copy, file)), { recursive: true });
      cpSync(path.join(root, file), path.join(copy, file));
    }
    const { status, stderr } = runNpm(["ls", "--all", "--package-lock-only"], copy);
    const problems = stderr
      .split("\n")
      .filter((line) => /^npm (error|ERR!) (invalid|missing|extraneous):/.test(line));
    if (status === 0) return [];
    return [
      `npm finds package-lock.json inconsistent (${mend}):\n${(problems.length > 0 ? problems : [stderr.trim()]).join("\n")}`,
    ];
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
