import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { mustRun } from "./command.mjs";
import { root } from "./root.mjs";
import { Refusal, step } from "./screen.mjs";

/** Installs what package-lock.json names, if node_modules is missing or holds something else. */
export async function ensureDependencies() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20)
    throw new Refusal(`Taskmuster needs Node 20 or newer; this is ${process.version} (${process.execPath}).`);
  const reason = whyInstall();
  if (reason === undefined) return;
  step(`Installing the packages of package-lock.json with npm ci (${reason})`);
  // No install script is needed: esbuild, oxlint and the rest come as ready packages for each platform.
  await runNpm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, peer?: boolean }} LockEntry
 * @typedef {{ packages?: Record<string, LockEntry> }} Lock
 */

/** npm keeps what it installed in node_modules/.package-lock.json; packages for other platforms are rightly absent there. */
function whyInstall() {
  const wanted = readLock("package-lock.json");
  const present = readLock("node_modules/.package-lock.json");
  if (present === undefined) return "not installed yet";
  for (const [place, entry] of Object.entries(wanted?.packages ?? {})) {
    if (!place.startsWith("node_modules/")) continue;
    const installed = present.packages?.[place];
    if (installed === undefined) {
      if (entry.optional === true || entry.peer === true) continue;
      return `${place} is missing`;
    }
    const differs = entry.integrity !== undefined && entry.integrity !== installed.integrity;
    if (differs || entry.version !== installed.version) return `${place} is another version`;
  }
  return undefined;
}

/**
 * @param {string} name
 * @returns {Lock | undefined}
 */
function readLock(name) {
  try {
    return /** @type {Lock} */ (JSON.parse(readFileSync(path.join(root, name), "utf8")));
  } catch {
    return undefined;
  }
}

/**
 * Runs npm in the repository: the npm that runs us, if one does.
 * @param {readonly string[]} args
 */
async function runNpm(args) {
  const cli = process.env["npm_execpath"];
  const [command, ...first] = cli?.endsWith(".js") === true ? [process.execPath, cli] : ["npm"];
  const scratch = cacheIsUsable() ? undefined : mkdtempSync(path.join(os.tmpdir(), "taskmuster-npm-cache-"));
  try {
    await mustRun(command, [...first, ...args], { cwd: root, env: npmEnvironment(scratch) });
  } finally {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * What npm exported for the command that runs us must not steer this one: under `npm install -g .` it would make
 * `npm ci` global. How to reach the registry stays.
 * @param {string | undefined} cache another directory for npm's cache
 */
function npmEnvironment(cache) {
  const reach =
    /^npm_config_(registry|ca|cafile|cert|key|proxy|https_proxy|http_proxy|noproxy|strict_ssl|userconfig|cache|fetch_.*)$/i;
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || reach.test(name));
  return { ...Object.fromEntries(kept), ...(cache === undefined ? {} : { npm_config_cache: cache }) };
}

/** Not where there is no HOME, or one that does not exist, as for the user nobody. */
function cacheIsUsable() {
  const cache = process.env["npm_config_cache"] ?? path.join(os.homedir(), ".npm");
  if (!path.isAbsolute(cache)) return false;
  try {
    mkdirSync(cache, { recursive: true });
    accessSync(cache, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
