import { readFileSync } from "node:fs";
import path from "node:path";
import { foreignEntries, nameAt, readTree } from "./lock.mjs";
import { staticPrograms } from "./programs.mjs";

/** @typedef {import("./lock.mjs").Outcome} Outcome */
/** @typedef {import("./lock.mjs").Lock} Lock */

/** SPDX names of licences that ask of us no more than that their text goes along, which it does. */
const allowed = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "MIT-0",
  "Unlicense",
]);

/**
 * Every package that is in our bundles, or could get there, has a licence that we may ship under.
 * @param {string} root its dist/ must be built
 * @returns {Outcome}
 */
export function checkLicences(root) {
  const dist = path.join(root, "dist");
  const shipped = readFileSync(path.join(dist, "THIRD_PARTY_LICENSES.txt"), "utf8");
  const { findings, notices } = licenceOutcome(readTree(root).lock, shipped);
  for (const name of staticPrograms(dist))
    notices.push(
      `dist/${name} holds the C library of the machine that built it, whose licence (the LGPL for glibc) does not go along`,
    );
  return { findings, notices };
}

/**
 * @param {Lock} lock
 * @param {string} shipped the text that goes along with our bundles
 * @returns {Outcome}
 */
export function licenceOutcome(lock, shipped) {
  const findings = [];
  const notices = [];
  const wanted = new Map();
  for (const [place, { dev, version, license }] of foreignEntries(lock)) {
    if (dev === true) continue;
    wanted.set(`${nameAt(place)} ${version}`, license);
    if (!isAllowed(license))
      findings.push(
        `${place} has the licence ${shown(license)}, which is not on the list of scripts/checks/licences.mjs`,
      );
  }
  const titles = [...shipped.matchAll(/^-{78}\n(\S+ \S+) \((.+)\)\n([\s\S]*?)(?=^-{78}$|$(?![\s\S]))/gm)];
  if (titles.length === 0)
    findings.push("the list of licences that is shipped names no package: build first");
  for (const [, title = "", license = "", text = ""] of titles) {
    if (!wanted.has(title))
      findings.push(
        `${title} is in a bundle, and is no dependency that package-lock.json has for what we ship`,
      );
    if (!isAllowed(license))
      findings.push(
        `${title} is in a bundle and has the licence ${shown(license)}, which is not on the list of scripts/checks/licences.mjs`,
      );
    if (text.includes("carries no licence text"))
      notices.push(`${title} (${license}) carries no licence text that could go along`);
  }
  return { findings, notices };
}

/** @param {unknown} license */
function shown(license) {
  return typeof license === "string" ? license : "(none named)";
}

/**
 * Whether an SPDX expression leaves us a licence of the list: one of those with OR between, all of those with AND.
 * @param {unknown} expression
 */
export function isAllowed(expression) {
  if (typeof expression !== "string") return false;
  const words = expression.match(/\(|\)|[^\s()]+/g) ?? [];
  let isSound = true;
  /** @returns {boolean} */
  const any = () => {
    let holds = all();
    while (takes("OR")) holds = all() || holds;
    return holds;
  };
  /** @returns {boolean} */
  const all = () => {
    let holds = one();
    while (takes("AND")) holds = one() && holds;
    return holds;
  };
  /** @returns {boolean} */
  const one = () => {
    if (!takes("(")) {
      const name = words.shift() ?? ")";
      isSound &&= !["AND", "OR", ")"].includes(name);
      return allowed.has(name);
    }
    const holds = any();
    isSound &&= takes(")");
    return holds;
  };
  /** @param {string} word */
  const takes = (word) => {
    if (words[0] !== word) return false;
    words.shift();
    return true;
  };
  const holds = any();
  return isSound && holds && words.length === 0;
}
