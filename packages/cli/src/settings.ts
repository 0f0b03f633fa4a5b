import { type TaskPolicy, plainPolicy } from "@taskmuster/driver";
import type { RawOptions } from "./command-line.js";
import { type ContextSettings, contextSettingsOf } from "./contexts/context-settings.js";
import { count, duration, milliseconds, text, texts } from "./option-values.js";
import { UsageError } from "./usage-error.js";

/** Where the tasks come from. */
export type ListChoice =
  | { readonly kind: "file"; readonly path: string }
  /** A program that speaks to the key-value store; null: to the run's own. */
  | { readonly kind: "server"; readonly address: string | null }
  /** The same, started by the driver. */
  | { readonly kind: "command"; readonly command: string };

/** All that a run of `driver` is told, from flags, then environment, then defaults. */
export interface Settings {
  readonly list: ListChoice;
  readonly prefix: string;
  /** Waits for contexts that others add (`-S`). */
  readonly serves: boolean;
  readonly context: ContextSettings;
  readonly startMustSucceed: boolean;
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
  /** A file with the authorities that vouch for that server; null: as its environment says. */
  readonly kvsCa: string | null;
  /** `--use-address`, as given. */
  readonly useAddress: string | null;
  readonly mail: { readonly to: string; readonly every: number } | null;
  /** Started by a program, which holds our standard input and output. */
  readonly embedded: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
  readonly lenient: boolean;
  readonly graceMs: number;
  readonly leaseMs: number;
  readonly maxLosses: number;
  /** Where no directive says otherwise. */
  readonly policy: TaskPolicy;
  /** An engine on which everything fails at once is told to leave. */
  readonly drainsFailing: boolean;
  readonly sync: boolean;
  readonly launcher: "auto" | "perl" | "node" | "noop";
  /** What a person should know about options that do nothing here. */
  readonly notices: readonly string[];
}

/** Throws `UsageError`. */
export function settingsOf(
  taskFile: string | null,
  options: RawOptions,
  env: Readonly<Record<string, string | undefined>>,
  thisHost: string,
): Settings {
  const serves = options["startupOnly"] === true;
  const useAddress = text(options, "useAddress") ?? null;
  const kvs = kvsServer(options["kvsserver"], env);
  if (useAddress !== null && kvs !== null) {
    throw new UsageError(
      "--use-address is for a private server; with --kvsserver the address is that server's",
    );
  }
  return {
    list: listChoice(taskFile, options, kvs),
    prefix: text(options, "prefix") ?? ".",
    serves,
    context: contextSettingsOf(options, env, thisHost, serves ? "serves" : "runs"),
    startMustSucceed: options["startMustSucceed"] === true,
    resumeFrom: texts(options, "resumeFrom"),
    retry: options["retry"] === true,
    forceResume: options["forceResume"] === true,
    exitCode: options["exitCode"] === true,
    failFast: options["failFast"] === true,
    statusHeader: options["statusHeader"] === true,
    logFile: text(options, "logfile") ?? null,
    logLevel: logLevel(text(options, "loglevel") ?? "INFO"),
    kvsServer: kvs,
    kvsCa: kvsCa(options, kvs),
    useAddress,
    mail: mail(options),
    embedded: options["embedded"] === true,
    quiet: options["quiet"] === true,
    json: options["json"] === true || options["embedded"] === true,
    lenient: options["lenient"] === true,
    graceMs: milliseconds(options, "grace", "--grace", 3, 0),
    leaseMs: milliseconds(options, "lease", "--lease", 300, 1),
    maxLosses: count(options, "maxLosses", "--max-losses", 0) ?? 5,
    policy: {
      retries: count(options, "retries", "--retries", 0) ?? plainPolicy.retries,
      retryDelayMs: duration(options, "retryDelay", "--retry-delay", () => true) ?? plainPolicy.retryDelayMs,
      timeoutMs: duration(options, "timeout", "--timeout", (ms) => ms > 0),
    },
    drainsFailing: options["drainFailing"] !== false,
    sync: options["fsync"] !== false,
    launcher: launcher(text(options, "launcher") ?? "auto"),
    notices: notices(options),
  };
}

function listChoice(taskFile: string | null, options: RawOptions, kvs: string | null): ListChoice {
  const command = text(options, "taskcommand");
  const server = options["taskserver"];
  const given = [taskFile, command, server].filter((each) => each !== null && each !== undefined);
  if (given.length > 1) {
    throw new UsageError(
      "a task file, --taskcommand and --taskserver exclude each other: the tasks come from one of them",
    );
  }
  if (taskFile !== null) return { kind: "file", path: taskFile };
  if (command !== undefined) return { kind: "command", command };
  if (typeof server === "string" && kvs !== null && kvs !== server) {
    throw new UsageError(
      "--taskserver and --kvsserver name different servers: the tasks come by the run's own store",
    );
  }
  if (server !== undefined) return { kind: "server", address: typeof server === "string" ? server : null };
  throw new UsageError("no task file: name a file with one command a line, or - for standard input");
}

function mail(options: RawOptions): Settings["mail"] {
  const to = text(options, "mailTo");
  const every = count(options, "mailFreq", "--mailFreq", 1);
  if (to === undefined && every !== null)
    throw new UsageError("--mailFreq says how often, but not to whom: add --mailTo ADDRESS");
  if (to === undefined) return null;
  if (!/^[^\s@]+@[^\s@]+$|^[^\s@]+$/.test(to))
    throw new UsageError(`--mailTo ${JSON.stringify(to)}: not a mail address`);
  return { to, every: every ?? 1 };
}

function notices(options: RawOptions): readonly string[] {
  const said: string[] = [];
  if (options["gpu"] === true) {
    said.push(
      "-g is not needed any more: inside an allocation each task gets its own of the GPUs that are there",
    );
  }
  if (options["web"] === true) {
    said.push("-w: there is no web page yet; dbutil --mon watches the run in a terminal");
  }
  return said;
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

function kvsCa(options: RawOptions, kvs: string | null): string | null {
  const file = text(options, "kvsCa") ?? null;
  if (file !== null && kvs === null && typeof options["taskserver"] !== "string") {
    throw new UsageError(
      "--kvs-ca is for a server that --kvsserver names; a private one has a certificate of its own",
    );
  }
  return file;
}

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

function launcher(kind: string): Settings["launcher"] {
  if (kind === "auto" || kind === "perl" || kind === "node" || kind === "noop") return kind;
  throw new UsageError(`--launcher ${JSON.stringify(kind)}: choose from auto, perl, node, noop`);
}
