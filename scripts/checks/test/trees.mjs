/** @typedef {import("../lock.mjs").Tree} Tree */
/** @typedef {import("../lock.mjs").Manifest} Manifest */
/** @typedef {import("../lock.mjs").LockEntry} LockEntry */

const hash = `sha512-${"A".repeat(86)}==`;

/** @type {Manifest} */
const top = {
  name: "top",
  version: "1.0.0",
  workspaces: ["part"],
  allowScripts: { builder: false },
  devDependencies: { builder: "3.0.0" },
};
/** @type {Manifest} */
const part = { name: "@top/part", version: "1.0.0", dependencies: { used: "2.0.0" } };
/** @type {Record<string, LockEntry>} */
const packages = {
  "": { ...top },
  part: { ...part },
  "node_modules/@top/part": { resolved: "part", link: true },
  "node_modules/used": {
    version: "2.0.0",
    integrity: hash,
    license: "MIT",
    dependencies: { inner: "^1.0.0" },
  },
  "node_modules/inner": { version: "1.2.0", integrity: hash, license: "ISC" },
  "node_modules/inner-darwin": { version: "1.2.0", license: "MIT", optional: true, os: ["darwin"] },
  "node_modules/builder": {
    version: "3.0.0",
    integrity: hash,
    license: "GPL-3.0",
    dev: true,
    hasInstallScript: true,
  },
};

/**
 * A repository of which the checks have nothing to say, after a change to it.
 * @param {(packages: Record<string, LockEntry>, top: Manifest, part: Manifest) => void} [change]
 * @returns {Tree}
 */
export function treeWith(change) {
  const copy = structuredClone({ packages, top, part });
  change?.(copy.packages, copy.top, copy.part);
  return {
    lock: { lockfileVersion: 3, packages: copy.packages },
    manifests: new Map([
      ["", copy.top],
      ["part", copy.part],
    ]),
  };
}

/**
 * The entry of a package, which must be there.
 * @param {Record<string, LockEntry>} all
 * @param {string} place
 */
export function at(all, place) {
  const entry = all[place];
  if (entry === undefined) throw new Error(`${place} is not there`);
  return entry;
}
