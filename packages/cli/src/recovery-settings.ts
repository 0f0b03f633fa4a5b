import { resolve } from "node:path";
import { type Remains, usageOfRecovery } from "@taskmuster/driver";
import { inSlurmJob } from "@taskmuster/engine";
import { type RawOptions, parseCommandLine } from "./command-line.js";
import { driverOptions, longName } from "./option-table.js";
import { type Settings, settingsOf } from "./settings.js";
import { UsageError } from "./usage-error.js";

type Env = Readonly<Record<string, string | undefined>>;

export interface RecoverySettings {
  /** What holds from now on. */
  readonly settings: Settings;
  /** As the run began: what its engines were told. */
  readonly before: Settings;
  /** The task file as it was named; null: the list was none. */
  readonly taskFile: string | null;
  /** Contexts were asked for now; else those of before are meant, where none of their engines is left. */
  readonly asksForContexts: boolean;
}

/** By their names in `RawOptions`. Everything else is as it was when the run began. */
const changeable =
  "sshNode cpusPerTask tasksPerNode contextTaskLimit envResource fill gpu label retire retireCmd idleTimeout startupOnly " +
  "exitCode failFast logfile loglevel useAddress mailTo mailFreq maxLosses fsync drainFailing launcher";
const mayChange = new Set(changeable.split(" "));
/** About this command, not about the run. */
const ofCommand = new Set(["recover", "assumeDead", "quiet", "json"]);
/** The options that are there only with `--no-`. */
const negatable = new Set(["retire", "fsync", "drainFailing"]);
/** Where the engines of a context run: given anew, all that was said of it before is void. */
const places = ["sshNode", "startupOnly", "retireCmd", "label"];

/** `cwd`: where the command was typed. Throws `UsageError`. */
export function recoverySettings(
  given: { readonly taskFile: string | null; readonly options: RawOptions },
  remains: Remains,
  env: Env,
  thisHost: string,
  cwd: string,
): RecoverySettings {
  if (given.taskFile !== null) {
    throw new UsageError(
      `--recover takes the task file from the ledger of the run (${remains.run.taskFile}), so ${given.taskFile} cannot go with it`,
    );
  }
  const line = parseCommandLine(remains.run.args, "");
  if (line.kind !== "run") throw usageOfRecovery("the command line in the ledger is that of no run");
  const now = explicit(given.options);
  const bad = Object.keys(now).find((name) => !mayChange.has(name) && !ofCommand.has(name));
  if (bad !== undefined) {
    throw new UsageError(
      `--recover goes on with the run as it began, so ${flagOf(bad)} cannot be given anew`,
    );
  }
  const old = without(explicit(line.options), [...ofCommand, "embedded"]);
  const list = remains.run.list;
  const path = list.kind === "file" ? list.path : list.spool;
  const asksForContexts = places.some((name) => name !== "label" && now[name] !== undefined);
  const kept = asksForContexts ? without(old, places) : old;
  const logfile = now["logfile"];
  const merged: RawOptions = {
    ...kept,
    ...now,
    ...(typeof logfile === "string" ? { logfile: resolve(cwd, logfile) } : {}),
  };
  const settings = settingsOf(path, somewhere(merged, env), env, thisHost);
  return {
    settings: { ...settings, notices: [...settings.notices, ...changes(old, now)] },
    before: settingsOf(path, somewhere(old, env), env, thisHost),
    taskFile: line.taskFile,
    asksForContexts,
  };
}

/** Commander says `true` of what a `--no-…` was not given for. */
function explicit(options: RawOptions): RawOptions {
  return Object.fromEntries(
    Object.entries(options).filter(
      ([name, value]) => value !== undefined && !(negatable.has(name) && value === true),
    ),
  );
}

function without(options: RawOptions, names: readonly string[]): RawOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
}

/** A driver that has no place of its own for engines waits for those that others add, as with -S. */
function somewhere(options: RawOptions, env: Env): RawOptions {
  const has =
    options["sshNode"] !== undefined || env["DISBATCH_SSH_NODELIST"] !== undefined || inSlurmJob(env);
  if (options["startupOnly"] === true || has) return options;
  return { ...without(options, ["retireCmd"]), startupOnly: true };
}

function changes(old: RawOptions, now: RawOptions): readonly string[] {
  const said = Object.entries(now)
    .filter(([name, value]) => mayChange.has(name) && shown(value) !== shown(old[name]))
    .map(([name, value]) => `${flagOf(name)} ${shown(value)} (before: ${shown(old[name])})`);
  return said.length === 0 ? [] : [`other than before: ${said.join(", ")}`];
}

function shown(value: RawOptions[string]): string {
  if (value === undefined) return "not given";
  if (value === true) return "given";
  return typeof value === "string" || typeof value === "boolean" ? String(value) : value.join(",");
}

/** As people type it. */
function flagOf(name: string): string {
  const long = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const row = driverOptions.find((each) => {
    const flag = longName(each);
    return flag === `--${long}` || flag === `--${name}` || flag === `--no-${long}`;
  });
  return row === undefined ? `--${long}` : longName(row);
}
