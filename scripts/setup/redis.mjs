import { existsSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { withBundle } from "../bundle/typescript.mjs";
import { findOnPath, runCommand, succeeds } from "./command.mjs";
import { root } from "./root.mjs";
import { Refusal, say, step } from "./screen.mjs";

/** Makes sure that the driver will find a Redis server: installs Debian's as root, else says what a person can do. */
export async function ensureRedis() {
  if (await driverFindsRedis()) return;
  const debian = existsSync("/etc/debian_version") && findOnPath("apt-get") !== undefined;
  if (!debian || process.getuid?.() !== 0) throw new Refusal(choices);
  step("No Redis server here, and we are root on a Debian-like system: installing the package redis-server");
  say(
    "apt-get update && apt-get install -y --no-install-recommends redis-server   (its service is not started)",
  );
  await installFromDebian();
  if (!(await driverFindsRedis()))
    throw new Refusal(`The package redis-server could not be installed.\n\n${choices}`);
}

/** Asks the code that the driver itself uses. */
async function driverFindsRedis() {
  const server = path.join(root, "packages", "kvs", "src", "server", "index.ts");
  const binary = await withBundle(server, async (file) => {
    const { findServerBinary } = /** @type {Server} */ (await import(pathToFileURL(file).href));
    return findServerBinary(process.env);
  });
  return binary !== null;
}

/** @typedef {{ findServerBinary: (env: NodeJS.ProcessEnv) => Promise<string | null> }} Server */

const choices = `Taskmuster needs a Redis or Valkey server (6.2 or newer), and there is none here. Any one of these will do:

  - ask whoever administers this machine:  apt-get install redis-server   or   dnf install valkey
  - in a conda environment, without root:  conda install -c conda-forge redis-server
  - build one here (needs a network, make and a C compiler; takes some minutes):  npm run redis:build
  - use one that runs already:             bin/driver --kvsserver HOST:PORT -s localhost:2 TASKFILE

Then run the same command again.`;

/** Debian asks this program before it starts a service; 101 means "not allowed". We want the program, not the service. */
const policy = "/usr/sbin/policy-rc.d";

async function installFromDebian() {
  const ours = !existsSync(policy);
  const restore = () => {
    if (ours) rmSync(policy, { force: true });
  };
  process.once("exit", restore);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const updated = await runCommand("apt-get", ["update"], { env });
    if (updated !== 0) say("apt-get update failed; trying with what is known");
    await runCommand("apt-get", ["install", "-y", "--no-install-recommends", "redis-server"], { env });
    // Installed services start at the next boot; this one was wanted by nobody.
    if (findOnPath("systemctl") !== undefined) succeeds("systemctl", ["disable", "redis-server.service"]);
  } finally {
    restore();
    process.off("exit", restore);
  }
}
