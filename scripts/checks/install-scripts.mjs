import { foreignEntries, nameAt, readTree } from "./lock.mjs";

/** @typedef {import("./lock.mjs").Outcome} Outcome */
/** @typedef {import("./lock.mjs").Tree} Tree */

/**
 * Packages whose install script is known, and why nothing is lost when it does not run: none of them does, anywhere.
 * @type {ReadonlyMap<string, string>}
 */
const known = new Map([
  [
    "esbuild",
    "it looks for its own program, which comes as a package for each platform and is found without that",
  ],
  ["msgpackr-extract", "it compiles an accelerator, which we keep msgpackr from loading"],
  ["redis-memory-server", "it downloads and compiles a server, which we do only when somebody asks for it"],
]);

/**
 * No package runs a program when it is installed, unless somebody has looked at it; neither does ours.
 * @param {string} root
 * @returns {Outcome}
 */
export function checkInstallScripts(root) {
  return { findings: installScriptFindings(readTree(root), known), notices: [] };
}

/**
 * @param {Tree} tree
 * @param {ReadonlyMap<string, string>} allowed names, with a reason each
 * @returns {string[]}
 */
export function installScriptFindings({ lock, manifests }, allowed) {
  const findings = [];
  const top = manifests.get("") ?? {};
  const present = new Set();
  for (const [place, entry] of foreignEntries(lock)) {
    if (entry.hasInstallScript !== true) continue;
    const name = nameAt(place);
    present.add(name);
    if (!allowed.has(name))
      findings.push(
        `${name} ${entry.version} (${place}) has an install script that nobody has looked at: see scripts/checks/install-scripts.mjs`,
      );
    else if (top.allowScripts?.[name] !== false)
      findings.push(
        `"allowScripts" in package.json must say false of ${name}, so that npm does not run its install script`,
      );
  }
  for (const name of allowed.keys())
    if (!present.has(name))
      findings.push(
        `${name} has no install script any more: take it out of scripts/checks/install-scripts.mjs`,
      );
  for (const name of Object.keys(top.allowScripts ?? {}))
    if (!present.has(name))
      findings.push(`"allowScripts" in package.json names ${name}, which has no install script`);
  for (const [place, { scripts = {} }] of manifests) {
    for (const name of ["preinstall", "install", "postinstall"])
      if (name in scripts)
        findings.push(`${place || "the top"} package.json has a script ${name}: whoever installs us runs it`);
  }
  return findings;
}
