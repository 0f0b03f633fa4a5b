import { accessSync, constants, mkdtempSync, readFileSync } from "node:fs";
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

/** npm keeps what it installed in node_modules/.package-lock.json; platform packages of others are rightly absent there. */
function whyInstall() {
  const wanted = readLock("package-lock.json");
  const present = readLock("node_modules/.package-lock.json");
  if (present === undefined) return "node_modules is missing";
  for (const [place, entry] of Object.entries(wanted?.packages ?? {})) {
    if (!place.startsWith("node_modules/")) continue;
    const installed = present.packages?.[place];
    if (installed === undefined) {
      if (entry.optional === true || entry.peer === true) continue;
      return `${place} is missing`;
    }
    if (installed.version !== entry.version || installed.integrity !== entry.integrity)
      return `${place} is another version`;
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
  const env = npmEnvironment();
  const cli = process.env["npm_execpath"];
  const command = cli?.endsWith(".js") ? process.execPath : "npm";
  await mustRun(command, command === "npm" ? args : [cli ?? "", ...args], { cwd: root, env });
}

/**
 * What npm exported for the command that runs us must not steer this one: under `npm install -g .` it would make
 * `npm ci` global. How to reach the registry stays.
 */
function npmEnvironment() {
  const reach =
    /^npm_config_(registry|ca|cafile|cert|key|proxy|https_proxy|http_proxy|noproxy|strict_ssl|userconfig|cache|maxsockets|fetch_.*)$/i;
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || reach.test(name)),
  );
  if (!homeIsWritable() && env["npm_config_cache"] === undefined) {
    env["npm_config_cache"] = mkdtempSync(path.join(os.tmpdir(), "taskmuster-npm-cache-"));
  }
  return env;
}

function homeIsWritable() {
  try {
    const home = os.homedir();
    accessSync(home, constants.W_OK | constants.X_OK);
    return path.isAbsolute(home);
  } catch {
    return false;
  }
}
