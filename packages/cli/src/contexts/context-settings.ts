import { type HostCores, inSlurmJob, parseHostList } from "@taskmuster/engine";
import type { RawOptions } from "../command-line.js";
import { count, milliseconds, number, text, texts } from "../option-values.js";
import { UsageError } from "../usage-error.js";

type Env = Readonly<Record<string, string | undefined>>;

/** Where the engines of a context shall run. */
export type Where =
  /** Nowhere: others will add contexts. */
  | { readonly kind: "none" }
  | { readonly kind: "hosts"; readonly hosts: readonly HostCores[] }
  /** In the allocation that we are in. */
  | { readonly kind: "slurm" };

/** How a node is handed back. */
export type RetireChoice =
  | { readonly kind: "default" }
  | { readonly kind: "never" }
  | { readonly kind: "command"; readonly command: string };

/** What a context is told, whether the driver starts it or `dbUtil.sh`. Null: not told, so what the run was told holds. */
export interface ContextSettings {
  readonly where: Where;
  readonly cpusPerTask: number | null;
  readonly tasksPerNode: number | null;
  readonly envResources: readonly string[];
  readonly idleTimeoutMs: number | null;
  readonly fill: boolean;
  readonly taskLimit: number | null;
  readonly label: string | null;
  readonly retire: RetireChoice;
}

/** Throws `UsageError`. `serves`: a driver with `-S`, which has no context of its own. */
export function contextSettingsOf(
  options: RawOptions,
  env: Env,
  thisHost: string,
  who: "runs" | "serves",
): ContextSettings {
  const taskLimit = count(options, "contextTaskLimit", "-C", 0);
  const labelText = text(options, "label");
  const cpusPerTask = text(options, "cpusPerTask");
  const idle = text(options, "idleTimeout");
  return {
    where: who === "serves" ? nowhere(options) : where(options, env, thisHost),
    cpusPerTask:
      cpusPerTask === undefined
        ? null
        : number(options, "cpusPerTask", "-c", 1, (value) => value > 0, "a number above 0"),
    tasksPerNode: count(options, "tasksPerNode", "-t", 1),
    envResources: variables(texts(options, "envResource")),
    idleTimeoutMs: idle === undefined ? null : milliseconds(options, "idleTimeout", "--idle-timeout", 0, 0),
    fill: options["fill"] === true,
    taskLimit: taskLimit === 0 ? null : taskLimit,
    label: labelText === undefined ? null : label(labelText),
    retire: retire(options),
  };
}

function where(options: RawOptions, env: Env, thisHost: string): Where {
  const given = texts(options, "sshNode");
  if (given.length > 0) return { kind: "hosts", hosts: hosts(given, "-s") };
  if (inSlurmJob(env)) return { kind: "slurm" };
  const fromEnv = env["DISBATCH_SSH_NODELIST"];
  if (fromEnv !== undefined) return { kind: "hosts", hosts: hosts([fromEnv], "DISBATCH_SSH_NODELIST") };
  throw new UsageError(
    `Cannot determine batch execution environment. Say where to run: -s localhost:4 for this host (${thisHost}), ` +
      `-s hostA:4,hostB:4 for others by ssh, DISBATCH_SSH_NODELIST for the same, or start it in a Slurm allocation`,
  );
}

function nowhere(options: RawOptions): Where {
  const given = ["-s", "--retire-cmd"].filter(
    (flag) => options[flag === "-s" ? "sshNode" : "retireCmd"] !== undefined,
  );
  if (given.length === 0) return { kind: "none" };
  throw new UsageError(
    `-S starts no engines, so ${given.join(" and ")} cannot go with it; give that to the dbUtil.sh script when you add resources`,
  );
}

function hosts(lists: readonly string[], from: string): readonly HostCores[] {
  const result = parseHostList(lists);
  if (result.kind === "bad") throw new UsageError(`${from}: ${JSON.stringify(result.item)}: ${result.why}`);
  return result.hosts;
}

function retire(options: RawOptions): RetireChoice {
  const command = text(options, "retireCmd");
  if (options["retire"] === false || command === "") return { kind: "never" };
  return command === undefined ? { kind: "default" } : { kind: "command", command };
}

/** `-E A,B -E C`: names of variables. */
function variables(lists: readonly string[]): readonly string[] {
  const names = lists.flatMap((list) => list.split(",")).map((name) => name.trim());
  const given = names.filter((name) => name !== "");
  const bad = given.find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (bad !== undefined)
    throw new UsageError(`-E ${JSON.stringify(bad)}: not the name of an environment variable`);
  return given;
}

function label(name: string): string {
  if (Buffer.byteLength(name) > 100)
    throw new UsageError("-l: a label becomes part of file names; 100 bytes at most");
  if (name !== "" && !/[/#\0\n]/.test(name)) return name;
  throw new UsageError(
    `-l ${JSON.stringify(name)}: a label becomes part of file names; it cannot be empty, or hold a / or a #`,
  );
}
