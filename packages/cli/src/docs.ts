import { dbutilCommand } from "./dbutil-command.js";
import { contextOptions, driverOptions, type OptionRow } from "./option-table.js";

/** The whole of docs/cli.md, from the definitions that the parser uses. */
function cliDocs(): string {
  const visible = driverOptions.filter((row) => row.hidden === undefined);
  return [
    "# Command line",
    "",
    "<!-- Made by `npm run docs` from packages/cli/src/option-table.ts and dbutil-command.ts. Do not edit. -->",
    "",
    "## driver, also called disBatch and disbatch",
    "",
    "    driver [options] TASKFILE",
    "",
    "`TASKFILE` holds one command a line; `-` is standard input. Long options may be shortened as long as they stay",
    "unambiguous; one-letter options may be written together (`-eR`).",
    "",
    "### Options of disBatch, with its meaning",
    "",
    ...table(visible.filter((row) => row.origin === "disBatch")),
    "",
    "### Our own",
    "",
    ...table(visible.filter((row) => row.origin === "ours")),
    "",
    "### Environment",
    "",
    "| variable | meaning |",
    "| --- | --- |",
    "| `DISBATCH_SSH_NODELIST` | hosts and cores, where `-s` is not given |",
    "| `DISBATCH_SLURM_SRUN_OPTIONS_FILE` | a file of `NAME=VALUE` lines that are put into the environment of `srun` |",
    "| `TASKMUSTER_SMTP` | where mail is handed in, `smtp://HOST:PORT` or `smtps://USER:PASSWORD@HOST` (default: port 25 of this host) |",
    "| `NO_COLOR` | no colours in the monitor |",
    "| `TASKMUSTER_KVSSERVER` | the server that `--kvsserver` without a value means |",
    "| `TASKMUSTER_KVS_PASSWORD`, `TASKMUSTER_KVS_PASSWORD_FILE` | password of that server, or a file that holds it |",
    "| `TASKMUSTER_NODE` | the Node.js to run with |",
    "",
    "None of the `TASKMUSTER_` variables reaches a task. What each task finds is told in [compat.md](compat.md).",
    "",
    "### Exit status",
    "",
    "| status | when |",
    "| --- | --- |",
    "| 0 | every line was worked through, also when tasks failed (but see `-e`); there was nothing to run |",
    "| 1 | with `-e`, a task failed; the run stopped early (`--fail-fast`, BARRIER CHECK, no engine left, a disk or a store that failed); the list, the prefix or a status file was refused |",
    "| 2 | the command line is wrong, or the task file cannot be read |",
    "| 129, 130, 143 | ended early by SIGHUP, Ctrl-C or SIGTERM |",
    "",
    "### Signals",
    "",
    "Ctrl-C (SIGINT) lets what runs end and starts nothing more; a second one stops what runs; a third one kills it.",
    "SIGTERM stops what runs, and so does SIGHUP, unless it was ignored when the driver started (`nohup`).",
    "",
    "## PREFIX_dbUtil.sh",
    "",
    "Made by each driver for its run. With the options below it adds a context: the allocation that it runs in (`sbatch -n 40 PREFIX_dbUtil.sh`), or",
    "hosts (`-s`). With `--mon`, `status`, `retire`, `stop` or `add` it is `dbutil` for its own run. Once the run has ended it says so and exits with 0.",
    "",
    ...table(contextOptions),
    "",
    "What is not given here is taken from the driver's own `-c`, `-t`, `-E` and `--idle-timeout`. A retire command runs in a shell, with `NODE` and `NODES`",
    "(what is handed back now, the same list twice), `RETCODES` (the exit status of each engine), `ACTIVE` (what still works), `RETIRED` (all that does not), and in",
    "Slurm `DRIVER_NODE` (the node that the context itself runs on, if no engine works there any more). All are lists with commas.",
    "",
    "## dbutil",
    "",
    "```",
    dbutilCommand().helpInformation().trimEnd(),
    "```",
    "",
    ...dbutilCommand().commands.flatMap((command) => ["```", command.helpInformation().trimEnd(), "```", ""]),
  ].join("\n");
}

function table(rows: readonly OptionRow[]): readonly string[] {
  return [
    "| option | meaning |",
    "| --- | --- |",
    ...rows.map((row) => `| \`${row.flags.replaceAll("|", "\\|")}\` | ${row.help.replaceAll("|", "\\|")} |`),
  ];
}

process.stdout.write(`${cliDocs().trimEnd()}\n`);
