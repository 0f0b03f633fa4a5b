import { statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { decodeEngineInfo, decodeEngineStats, runId, type Snapshot } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { buildServerBinary, readAddressFile } from "@taskmuster/kvs/server";
import { UsageError } from "./usage-error.js";
import { version } from "./version.js";
import { plural } from "./wording.js";

/** Runs the command with `args` and answers its exit status. Throws `TaskmusterError`. */
export async function runDbutil(args: readonly string[]): Promise<number> {
  const command = dbutilCommand();
  let exitCode = 0;
  for (const each of [command, ...command.commands]) {
    each.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  command.commands
    .find((each) => each.name() === "status")
    ?.action(async (prefix: string | undefined, options: { readonly json?: true }) => {
      exitCode = await status(prefix ?? ".", options.json === true);
    });
  command.commands
    .find((each) => each.name() === "build-redis")
    ?.action(async () => {
      const path = await buildServerBinary((line) => process.stderr.write(`${line}\n`));
      process.stdout.write(`built ${path}; driver finds it by itself\n`);
    });
  try {
    await command.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    throw new UsageError(`${error.message.replace(/^error: /, "")} (dbutil --help lists what there is)`);
  }
  return exitCode;
}

/** The parser, also for its help and for docs/cli.md. */
export function dbutilCommand(): Command {
  const command = new Command("dbutil")
    .description("Looks at a run from outside.")
    .version(version(), "--version", "print the version and exit");
  command
    .command("status [prefix]")
    .description(
      "tell how a run is doing: one with this prefix, or, given a directory (default: this one), the newest in it",
    )
    .option("--json", "print one JSON value");
  command
    .command("build-redis")
    .description(
      "build a Redis server for your own use, without root; needs a network, make and a C compiler",
    );
  return command;
}

async function status(where: string, json: boolean): Promise<number> {
  const path = await addressFileOf(where);
  const address = readAddressFile(path);
  const store = await connectRedisStore({ address, runId: runId(address.runId), role: "monitor" });
  try {
    const snapshot = await store.snapshot();
    process.stdout.write(
      json ? `${JSON.stringify(statusJson(path, snapshot))}\n` : statusText(path, snapshot),
    );
    return snapshot.open ? 0 : 1;
  } finally {
    await store.disconnect();
  }
}

/** Throws `UsageError` when there is no run that works. */
async function addressFileOf(where: string): Promise<string> {
  if (statSync(where, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const path = where.endsWith(suffix) ? where : `${where}${suffix}`;
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) return path;
    throw new UsageError(`no run with the prefix ${where} is at work: there is no ${path}`);
  }
  const names = (await readdir(where)).filter((name) => name.endsWith(suffix));
  const newest = names
    .map((name) => join(where, name))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .toSorted((a, b) => b.at - a.at)[0];
  if (newest !== undefined) return newest.path;
  throw new UsageError(`no run is at work in ${where}: there is no *${suffix}`);
}

function statusJson(path: string, snapshot: Snapshot): object {
  return {
    run: path.slice(0, -suffix.length),
    open: snapshot.open,
    wanted: snapshot.wanted,
    queued: snapshot.queued,
    engines: snapshot.engines.map((engine) => ({
      rank: engine.rank,
      context: engine.context,
      ...decodeEngineInfo(engine.info),
      membership: engine.state,
      claims: engine.claims,
      stats: engine.stats.length === 0 ? null : decodeEngineStats(engine.stats),
    })),
  };
}

function statusText(path: string, snapshot: Snapshot): string {
  const lines = [`run ${path.slice(0, -suffix.length)}`];
  if (!snapshot.open) lines.push("has ended");
  else lines.push(`${plural(snapshot.queued, "task")} queued, ${plural(snapshot.engines.length, "engine")}`);
  for (const engine of snapshot.engines) {
    const { host, slots } = decodeEngineInfo(engine.info);
    const stats = engine.stats.length === 0 ? null : decodeEngineStats(engine.stats);
    const said =
      stats === null
        ? ""
        : `, ${stats.state}, ${stats.busy} busy, ${stats.done} done, ${stats.failed} failed`;
    lines.push(
      `  engine ${engine.rank} ${engine.context} ${host}: ${plural(slots, "slot")}${said} (${engine.state})`,
    );
  }
  return `${lines.join("\n")}\n`;
}

const suffix = "_kvsinfo.txt";
