import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import { Refusal } from "./screen.mjs";

/**
 * The first executable file of that name on PATH.
 * @param {string} name
 * @returns {string | undefined}
 */
export function findOnPath(name) {
  for (const directory of (process.env["PATH"] ?? "").split(path.delimiter)) {
    const file = path.join(directory || ".", name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // not there: the next one
    }
  }
  return undefined;
}

/**
 * Runs a command in the foreground and gives its exit status (128 + signal when a signal ended it).
 * Ctrl-C reaches it directly, as it is in our foreground group; we only wait for what it makes of it.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>}
 */
export function runCommand(command, args, options = {}) {
  const wait = () => {};
  process.on("SIGINT", wait);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: "inherit" });
    child.once("error", (error) => {
      reject(new Refusal(`cannot run ${command}: ${error.message}`));
    });
    child.once("close", (code, signal) => {
      resolve(code ?? 128 + (signal === "SIGINT" ? 2 : signal === "SIGKILL" ? 9 : 15));
    });
  }).finally(() => process.off("SIGINT", wait));
}

/**
 * Like runCommand, but a failure ends the script.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export async function mustRun(command, args, options) {
  const code = await runCommand(command, args, options);
  if (code !== 0) throw new Refusal(`failed with exit code ${code}: ${[command, ...args].join(" ")}`);
}

/**
 * Whether a command exits with 0; what it prints is dropped.
 * @param {string} command
 * @param {readonly string[]} args
 */
export function succeeds(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
