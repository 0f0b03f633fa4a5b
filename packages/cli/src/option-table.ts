/**
 * The options of `driver`, once: the parser, the abbreviations, the check for options that come later, and
 * docs/cli.md are all made from this table.
 */
export interface OptionRow {
  /** As commander takes it: `-p, --prefix <path>`. */
  readonly flags: string;
  readonly help: string;
  /** May be given several times; the values are collected. */
  readonly repeats?: true;
  /** `disBatch`: documented there, with the same meaning. `later`: documented there, refused here for now. */
  readonly origin: "disBatch" | "ours" | "later";
  readonly hidden?: true;
}

export const driverOptions: readonly OptionRow[] = [
  {
    origin: "disBatch",
    flags: "-s, --ssh-node <host:count>",
    repeats: true,
    help: "run tasks on the cores of this host, as in localhost:4 (or set DISBATCH_SSH_NODELIST)",
  },
  {
    origin: "disBatch",
    flags: "-p, --prefix <path>",
    help: "directory for the run's files, or a prefix of their names (default: this directory)",
  },
  {
    origin: "disBatch",
    flags: "-c, --cpusPerTask <n>",
    help: "cores per task, may be fractional (default: 1)",
  },
  {
    origin: "disBatch",
    flags: "-t, --tasksPerNode <n>",
    help: "tasks at a time per host (default: cores / cpusPerTask)",
  },
  {
    origin: "disBatch",
    flags: "-C, --context-task-limit <n>",
    help: "stop after this many tasks (0: no limit)",
  },
  {
    origin: "disBatch",
    flags: "-l, --label <name>",
    help: "name of this context in file names (default: SSH0)",
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
    help: "only localhost for now: the private server listens nowhere else",
  },
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
    flags: "--max-losses <n>",
    help: "run a task again that was lost with its engine, so many times (default: 5)",
  },
  { origin: "ours", flags: "--no-fsync", help: "do not wait for the disk after writing rows" },
  {
    origin: "ours",
    flags: "--launcher <kind>",
    help: "how shells are started: auto, perl, node, noop",
    hidden: true,
  },
  { origin: "later", flags: "-S, --startup-only", help: "publish and wait for contexts" },
  {
    origin: "later",
    flags: "-E, --env-resource <var>",
    repeats: true,
    help: "give each slot its item of a list",
  },
  { origin: "later", flags: "--fill", help: "use extra cores of an allocation" },
  { origin: "later", flags: "-g, --gpu", help: "use assigned GPUs" },
  { origin: "later", flags: "--no-retire", help: "do not hand nodes back" },
  { origin: "later", flags: "--retire-cmd <command>", help: "how to hand a node back" },
  { origin: "later", flags: "-w, --web", help: "web interface" },
  { origin: "later", flags: "--mailFreq <n>", help: "a mail every so many tasks" },
  { origin: "later", flags: "--mailTo <addr>", help: "mail address" },
  { origin: "later", flags: "--taskcommand <command>", help: "tasks from a command" },
  { origin: "later", flags: "--taskserver [host:port]", help: "tasks from the key-value store" },
];

/** `--resume-from` of `-r, --resume-from <statusfile>`. */
export function longName(row: OptionRow): string {
  return /--[A-Za-z-]+/.exec(row.flags)?.[0] ?? row.flags;
}
