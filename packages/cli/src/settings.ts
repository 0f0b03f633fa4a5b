import { type HostCores, isThisHost, parseHostList, slotsOf } from "@taskmuster/engine";
import type { RawOptions } from "./command-line.js";
import { UsageError } from "./usage-error.js";

/** All that a run of `driver` is told, from flags, then environment, then defaults. */
export interface Settings {
  readonly taskFile: string;
  readonly prefix: string;
  readonly cores: number;
  readonly slots: number;
  readonly coresPerTask: number;
  readonly cpusPerTask: number;
  readonly taskLimit: number | null;
  readonly label: string;
  readonly resumeFrom: readonly string[];
  readonly retry: boolean;
  readonly forceResume: boolean;
  readonly exitCode: boolean;
  readonly failFast: boolean;
  readonly statusHeader: boolean;
  readonly logFile: string | null;
  readonly logLevel: string;
  /** As given; null: a private server. */
  readonly kvsServer: string | null;
  readonly quiet: boolean;
  readonly json: boolean;
  readonly lenient: boolean;
  readonly graceMs: number;
  readonly leaseMs: number;
  readonly maxLosses: number;
  readonly sync: boolean;
  readonly launcher: "auto" | "perl" | "node" | "noop";
}

/** Throws `UsageError`. */
export function settingsOf(
  taskFile: string,
  options: RawOptions,
  env: Readonly<Record<string, string | undefined>>,
  thisHost: string,
): Settings {
  const cpusPerTask = number(options, "cpusPerTask", "-c", 1, (value) => value > 0, "a number above 0");
  const tasksPerNode = count(options, "tasksPerNode", "-t", 1);
  const taskLimit = count(options, "contextTaskLimit", "-C", 0);
  const cores = coresHere(options, env, thisHost);
  const slots = slotsOf(cores, cpusPerTask, tasksPerNode);
  if (slots === null) {
    throw new UsageError(
      `no task fits: -c ${cpusPerTask} asks for more than the ${cores} cores of ${thisHost}`,
    );
  }
  if (slots.slots > mostSlots) {
    throw new UsageError(
      `${slots.slots} tasks at a time on one host are too many: no more than ${mostSlots}, by -s, -c and -t`,
    );
  }
  checkAddress(text(options, "useAddress"));
  return {
    taskFile,
    prefix: text(options, "prefix") ?? ".",
    cores,
    ...slots,
    cpusPerTask,
    taskLimit: taskLimit === 0 ? null : taskLimit,
    label: label(text(options, "label") ?? "SSH0"),
    resumeFrom: texts(options, "resumeFrom"),
    retry: options["retry"] === true,
    forceResume: options["forceResume"] === true,
    exitCode: options["exitCode"] === true,
    failFast: options["failFast"] === true,
    statusHeader: options["statusHeader"] === true,
    logFile: text(options, "logfile") ?? null,
    logLevel: logLevel(text(options, "loglevel") ?? "INFO"),
    kvsServer: kvsServer(options["kvsserver"], env),
    quiet: options["quiet"] === true,
    json: options["json"] === true,
    lenient: options["lenient"] === true,
    graceMs: milliseconds(options, "grace", "--grace", 3, 0),
    leaseMs: milliseconds(options, "lease", "--lease", 300, 1),
    maxLosses: count(options, "maxLosses", "--max-losses", 0) ?? 5,
    sync: options["fsync"] !== false,
    launcher: launcher(text(options, "launcher") ?? "auto"),
  };
}

function coresHere(
  options: RawOptions,
  env: Readonly<Record<string, string | undefined>>,
  thisHost: string,
): number {
  const given = texts(options, "sshNode");
  const inSlurm = env["SLURM_JOBID"] ?? env["SLURM_JOB_ID"];
  if (given.length === 0 && inSlurm !== undefined) {
    throw new UsageError(
      `this is Slurm job ${inSlurm}, and allocations are not supported yet; -s localhost:COUNT runs on this node`,
    );
  }
  const fromEnv = env["DISBATCH_SSH_NODELIST"];
  const lists = given.length > 0 ? given : fromEnv === undefined ? [] : [fromEnv];
  const from = given.length > 0 ? "-s" : "DISBATCH_SSH_NODELIST";
  if (lists.length === 0) {
    throw new UsageError(
      "Cannot determine batch execution environment. Say where to run: -s localhost:4, or DISBATCH_SSH_NODELIST",
    );
  }
  const result = parseHostList(lists);
  if (result.kind === "bad") throw new UsageError(`${from}: ${JSON.stringify(result.item)}: ${result.why}`);
  const elsewhere = result.hosts.find(({ host }) => !isThisHost(host, thisHost));
  if (elsewhere !== undefined) {
    throw new UsageError(
      `${from}: ${elsewhere.host} is not this host (${thisHost}), and engines on other hosts are not supported yet`,
    );
  }
  return result.hosts.reduce((sum: number, { cores }: HostCores) => sum + cores, 0);
}

function checkAddress(address: string | undefined): void {
  if (address === undefined) return;
  const host = address.replace(/:\d*$/, "");
  if (host === "localhost" || host === "127.0.0.1") return;
  throw new UsageError(
    `--use-address ${address}: only localhost is supported yet, as all engines run on this host`,
  );
}

function kvsServer(
  value: RawOptions[string],
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  if (value === undefined) return null;
  if (typeof value === "string") return value;
  const fromEnv = env["TASKMUSTER_KVSSERVER"];
  if (fromEnv !== undefined && fromEnv !== "") return fromEnv;
  throw new UsageError(
    "--kvsserver without a value needs TASKMUSTER_KVSSERVER; or write --kvsserver HOST:PORT",
  );
}

/** The same bound as that of a count of cores. */
const mostSlots = 100_000;
/** A week: no timer of ours can wait for more than 24 days. */
const mostSeconds = 604_800;

const levels: Readonly<Record<string, string>> = {
  CRITICAL: "fatal",
  ERROR: "error",
  WARNING: "warn",
  INFO: "info",
  DEBUG: "debug",
};

function logLevel(name: string): string {
  const level = Object.hasOwn(levels, name) ? levels[name] : undefined;
  if (level !== undefined) return level;
  throw new UsageError(`--loglevel ${JSON.stringify(name)}: choose from ${Object.keys(levels).join(", ")}`);
}

function label(name: string): string {
  if (Buffer.byteLength(name) > 100)
    throw new UsageError("-l: a label becomes part of file names; 100 bytes at most");
  if (name !== "" && !/[/\0\n]/.test(name)) return name;
  throw new UsageError(
    `-l ${JSON.stringify(name)}: a label becomes part of file names and cannot be empty or hold a /`,
  );
}

function launcher(kind: string): Settings["launcher"] {
  if (kind === "auto" || kind === "perl" || kind === "node" || kind === "noop") return kind;
  throw new UsageError(`--launcher ${JSON.stringify(kind)}: choose from auto, perl, node, noop`);
}

function text(options: RawOptions, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

function texts(options: RawOptions, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

function count(options: RawOptions, name: string, flag: string, least: number): number | null {
  const value = text(options, name);
  if (value === undefined) return null;
  if (/^[0-9]{1,9}$/.test(value) && Number(value) >= least) return Number(value);
  throw new UsageError(`${flag} ${JSON.stringify(value)}: must be a whole number, ${least} or more`);
}

function number(
  options: RawOptions,
  name: string,
  flag: string,
  fallback: number,
  isGood: (value: number) => boolean,
  wanted: string,
): number {
  const value = text(options, name);
  if (value === undefined) return fallback;
  const parsed = value.trim() === "" ? Number.NaN : Number(value);
  if (Number.isFinite(parsed) && isGood(parsed)) return parsed;
  throw new UsageError(`${flag} ${JSON.stringify(value)}: must be ${wanted}`);
}

/** Whole ones: what an engine is told has no fractions. */
function milliseconds(
  options: RawOptions,
  name: string,
  flag: string,
  fallback: number,
  least: number,
): number {
  const isGood = (value: number): boolean => value >= least && value <= mostSeconds;
  const wanted = `a number of seconds from ${least} to ${mostSeconds}`;
  return Math.round(1000 * number(options, name, flag, fallback, isGood, wanted));
}
