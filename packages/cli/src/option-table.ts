/**
 * The options of `driver` and of `dbUtil.sh`, once: the parsers, the abbreviations and docs/cli.md are all made from this table.
 */
export interface OptionRow {
  /** As commander takes it: `-p, --prefix <path>`. */
  readonly flags: string;
  readonly help: string;
  /** May be given several times; the values are collected. */
  readonly repeats?: true;
  /** `disBatch`: documented there, with the same meaning. */
  readonly origin: "disBatch" | "ours";
  readonly hidden?: true;
}

/** What a context is told: by the driver for its own, by `dbUtil.sh` for those that are added. */
export const contextOptions: readonly OptionRow[] = [
  {
    origin: "disBatch",
    flags: "-s, --ssh-node <host:count>",
    repeats: true,
    help: "run tasks on so many cores of this host, by ssh unless it is this one, as in localhost:4,hostB:8 (or set DISBATCH_SSH_NODELIST)",
  },
  {
    origin: "disBatch",
    flags: "-c, --cpusPerTask <n>",
    help: "cores per task, may be fractional (default: 1, or what Slurm was told)",
  },
  {
    origin: "disBatch",
    flags: "-t, --tasksPerNode <n>",
    help: "tasks at a time per host (default: cores / cpusPerTask, or what Slurm was told)",
  },
  {
    origin: "disBatch",
    flags: "-C, --context-task-limit <n>",
    help: "this context leaves when it has run so many tasks (0: no limit)",
  },
  {
    origin: "disBatch",
    flags: "-E, --env-resource <var>",
    repeats: true,
    help: "this environment variable of each engine holds a list, and each slot gets an item of its own",
  },
  {
    origin: "disBatch",
    flags: "--fill",
    help: "in an allocation, use all cores that were granted, also beyond the tasks asked for",
  },
  {
    origin: "disBatch",
    flags: "-g, --gpu",
    help: "not needed any more: in an allocation each task gets its own of the GPUs that are there",
  },
  {
    origin: "disBatch",
    flags: "-l, --label <name>",
    help: "name of this context, also in file names (default: SSH0, J1234, …)",
  },
  { origin: "disBatch", flags: "--no-retire", help: "do not hand nodes back that are no longer needed" },
  {
    origin: "disBatch",
    flags: "--retire-cmd <command>",
    help: "how to hand nodes back; finds NODES, NODE, ACTIVE, RETIRED, RETCODES (default, in Slurm: scontrol update)",
  },
  {
    origin: "ours",
    flags: "--idle-timeout <seconds>",
    help: "an engine that has had nothing to do for so long leaves (default: it stays)",
  },
];

export const driverOptions: readonly OptionRow[] = [
  ...contextOptions,
  {
    origin: "disBatch",
    flags: "-S, --startup-only",
    help: "publish the list and wait for resources: PREFIX_dbUtil.sh adds them, any number of times",
  },
  {
    origin: "disBatch",
    flags: "-p, --prefix <path>",
    help: "directory for the run's files, or a prefix of their names (default: this directory)",
  },
  {
    origin: "disBatch",
    flags: "-r, --resume-from <statusfile>",
    repeats: true,
    help: "skip what this status file of an earlier run says is done",
  },
  { origin: "disBatch", flags: "-R, --retry", help: "with -r, run tasks again that failed" },
  {
    origin: "disBatch",
    flags: "--force-resume",
    help: "with -r, go on even if tasks differ from those in the status file",
  },
  {
    origin: "ours",
    flags: "--recover <prefix>",
    help: "go on with a run whose driver died: by its prefix or its status file; the task file and what else was said stand in its ledger",
  },
  {
    origin: "ours",
    flags: "--assume-dead",
    help: "with --recover: the host of the run's store is down for good; whatever worked there is dead",
  },
  { origin: "disBatch", flags: "-e, --exit-code", help: "exit with status 1 when any task failed" },
  {
    origin: "disBatch",
    flags: "-f, --fail-fast",
    help: "stop everything when a task fails, and exit with status 1",
  },
  { origin: "disBatch", flags: "--status-header", help: "begin the status file with a line of column names" },
  { origin: "disBatch", flags: "--logfile <file>", help: "the driver's log (default: PREFIX_driver.log)" },
  {
    origin: "disBatch",
    flags: "--loglevel <level>",
    help: "CRITICAL, ERROR, WARNING, INFO or DEBUG (default: INFO)",
  },
  {
    origin: "disBatch",
    flags: "--kvsserver [host:port]",
    help: "use a running Redis or Valkey server: HOST:PORT, or a redis://, rediss:// or unix:// URL (without a value: TASKMUSTER_KVSSERVER)",
  },
  {
    origin: "disBatch",
    flags: "--use-address <host:port>",
    help: "where engines reach the private server (default: every address of this host, any free port; localhost: this host only)",
  },
  {
    origin: "disBatch",
    flags: "--taskcommand <command>",
    help: "the tasks come from this command, which is told the key-value store and gets the results",
  },
  {
    origin: "disBatch",
    flags: "--taskserver [host:port]",
    help: "the tasks come from a program by way of a key-value store (without a value: the run's own)",
  },
  { origin: "disBatch", flags: "--mailTo <addr>", help: "tell this mail address of finished tasks" },
  { origin: "disBatch", flags: "--mailFreq <n>", help: "a mail for every so many tasks (default: 1)" },
  { origin: "disBatch", flags: "-w, --web", help: "there is no web page yet: says so; dbutil --mon watches" },
  { origin: "disBatch", flags: "--version", help: "print the version and exit" },
  { origin: "ours", flags: "-q, --quiet", help: "say nothing but errors" },
  { origin: "ours", flags: "--json", help: "print the summary as one JSON value on standard output" },
  {
    origin: "ours",
    flags: "--lenient",
    help: "ignore unknown directives and drop what follows a late PERENGINE, as disBatch does, and say so",
  },
  {
    origin: "ours",
    flags: "--start-must-succeed",
    help: "an engine on which a PERENGINE START command fails runs no task",
  },
  {
    origin: "ours",
    flags: "--grace <seconds>",
    help: "from TERM to KILL when a task is stopped (default: 3)",
  },
  {
    origin: "ours",
    flags: "--lease <seconds>",
    help: "an engine not heard of for so long is lost (default: 300)",
  },
  {
    origin: "ours",
    flags: "--timeout <duration>",
    help: "stop a task that runs longer, as 90s, 15m, 2h or 1d; it has failed (default: none; or #DISBATCH TIMEOUT)",
  },
  {
    origin: "ours",
    flags: "--retries <n>",
    help: "run a task again that failed, so many times (default: 0; or #DISBATCH RETRIES)",
  },
  {
    origin: "ours",
    flags: "--retry-delay <duration>",
    help: "wait so long before the first retry of a task, twice as long before each further one, but 5m at most (default: 1)",
  },
  {
    origin: "ours",
    flags: "--max-losses <n>",
    help: "run a task again that was lost with its engine, so many times; losses use up no retries (default: 5; from 2 on, a task that kills its engines is told from those beside it)",
  },
  {
    origin: "ours",
    flags: "--kvs-ca <file>",
    help: "the certificates (PEM) of the authorities that vouch for the server of a rediss:// URL",
  },
  {
    origin: "ours",
    flags: "--no-drain-failing",
    help: "keep engines on which everything fails at once, although it does not elsewhere",
  },
  { origin: "ours", flags: "--no-fsync", help: "do not wait for the disk after writing rows" },
  {
    origin: "ours",
    flags: "--embedded",
    help: "started by a program: tells it where the store is, and ends with it",
    hidden: true,
  },
  {
    origin: "ours",
    flags: "--launcher <kind>",
    help: "how shells are started: auto, perl, node, noop",
    hidden: true,
  },
];

/** `--resume-from` of `-r, --resume-from <statusfile>`. */
export function longName(row: OptionRow): string {
  return /--[A-Za-z-]+/.exec(row.flags)?.[0] ?? row.flags;
}
