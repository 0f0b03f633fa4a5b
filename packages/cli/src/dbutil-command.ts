import { Command, CommanderError } from "commander";
import { afterDeath } from "@taskmuster/driver/recovery";
import { buildServerBinary } from "@taskmuster/kvs/server";
import { runContext } from "./context-command.js";
import { audit } from "./dbutil/audit.js";
import { statusFileMeant } from "./dbutil/find-run.js";
import { askedBy, runMeant, steer, withRun } from "./dbutil/connect-run.js";
import { statusJson, statusText } from "./dbutil/status.js";
import { retire, stop } from "./dbutil/steer.js";
import { runMonitor } from "./monitor/run-monitor.js";
import { UsageError } from "./usage-error.js";
import { version } from "./version.js";

/** Runs the command with `args` and answers its exit status. Throws `TaskmusterError`. */
export async function runDbutil(args: readonly string[]): Promise<number> {
  const [first = "", ...rest] = args;
  // Not commander's business: its options are those of `dbUtil.sh`.
  if (first === "add") return runContext(rest);
  let exitCode = 0;
  const command = dbutilCommand((code) => {
    exitCode = code;
  });
  for (const each of [command, ...command.commands]) {
    each.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  try {
    // `--mon` is disBatch's way to say it.
    const words = first.length > 3 && "--monitor".startsWith(first) ? ["mon", ...rest] : args;
    await command.parseAsync(words.length === 0 ? ["--help"] : words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    throw new UsageError(`${error.message.replace(/^error: /, "")} (dbutil --help lists what there is)`);
  }
  return exitCode;
}

const prefixHelp = "a prefix, a dbUtil.sh, or a directory: the newest run in it (default: this directory)";

/** The parser, also for its help and for docs/cli.md. */
export function dbutilCommand(onExitCode: (code: number) => void = () => undefined): Command {
  const command = new Command("dbutil")
    .description(
      "Looks at a run, steers it and adds resources to it. PREFIX_dbUtil.sh does the same for its own run.",
    )
    .version(version(), "--version", "print the version and exit");
  command
    .command("mon [run]")
    .description(
      `watch a run in the terminal, and retire engines or contexts; also: --mon. RUN: ${prefixHelp}`,
    )
    .action(async (named: string | undefined) => onExitCode(await monitor(named)));
  command
    .command("status [run]")
    .description(`tell how a run is doing. RUN: ${prefixHelp}`)
    .option("--json", "print one JSON value")
    .action(async (named: string | undefined, options: { readonly json?: true }) =>
      onExitCode(await status(named, options.json === true)),
    );
  command
    .command("audit [statusfile]")
    .description(
      "say of a status file, with the ledger beside it, how every task ended, which may have run more than once, and whether the file is whole; " +
        "the run need not be at work. STATUSFILE: that, or a prefix, or a dbUtil.sh",
    )
    .option("--json", "print one JSON value with everything")
    .option("--all", "show lists in full")
    .option("--list <taskfile>", "compare every row with the list that it is of")
    .addHelpText(
      "after",
      "\nExit status: 0 when every task has exactly one final row and none is known to have run twice, unless that was asked for (-R); " +
        "3 when something is missing, unfinished, or cannot be known; 4 when a task may have run more than once; 5 when the file is damaged; " +
        "the highest that applies. Failed tasks do not change it. 1: it cannot be audited; 2: the command line is wrong.",
    )
    .action(
      async (
        named: string | undefined,
        options: { readonly json?: true; readonly all?: true; readonly list?: string },
      ) => onExitCode(await audit(statusFileMeant(named, process.env), options, process.stdout)),
    );
  command
    .command("retire <name...>")
    .description(
      "let engines go when what they run has ended: by number, by host, or all of a context by its label; their nodes are handed back",
    )
    .option("--run <run>", prefixHelp)
    .option("--now", "stop what they run; others run it again")
    .action(async (names: readonly string[], options: { readonly run?: string; readonly now?: true }) => {
      const lines = await steer(await runMeant(options.run, process.env), (store, isOver) =>
        retire(store, isOver, names, options.now === true),
      );
      process.stdout.write(`${lines.join("\n")}\n`);
    });
  command
    .command("stop [run]")
    .description(`end a run when what runs has ended; the rest can be resumed. RUN: ${prefixHelp}`)
    .option("--now", "stop what runs, too")
    .action(async (named: string | undefined, options: { readonly now?: true }) => {
      const words = await steer(await runMeant(named, process.env), (store, isOver) =>
        stop(store, isOver, options.now === true),
      );
      process.stdout.write(`${words}\n`);
    });
  command
    .command("add")
    .description(
      "add a context to a run: the allocation that it is called in, or -s HOST:COUNT (add --help lists the options)",
    )
    .helpOption(false)
    .allowUnknownOption();
  command
    .command("build-redis")
    .description(
      "build a Redis server for your own use, without root; needs a network, make and a C compiler",
    )
    .action(async () => {
      const path = await buildServerBinary((line) => process.stderr.write(`${line}\n`));
      process.stdout.write(`built ${path}; driver finds it by itself\n`);
    });
  return command;
}

async function status(named: string | undefined, json: boolean): Promise<number> {
  const run = await runMeant(named, process.env);
  return withRun(run, async (store) => {
    const snapshot = await store.snapshot();
    process.stdout.write(
      json
        ? `${JSON.stringify(statusJson(run.prefix, snapshot))}\n`
        : statusText(run.prefix, snapshot, afterDeath(run.prefix)),
    );
    return snapshot.open ? 0 : 1;
  });
}

async function monitor(named: string | undefined): Promise<number> {
  const run = await runMeant(named, process.env);
  return withRun(run, (store) =>
    runMonitor({
      store,
      prefix: run.prefix,
      env: process.env,
      stdin: process.stdin,
      stdout: process.stdout,
      by: askedBy(),
    }),
  );
}
