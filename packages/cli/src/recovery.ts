import { hostname } from "node:os";
import { resolve } from "node:path";
import { type ListFacts, type Remains, checkList, readRemains, wholeLines } from "@taskmuster/driver";
import { isThisHost } from "@taskmuster/engine";
import type { KvsAddress } from "@taskmuster/kvs";
import { type EngineSnapshot, decodeEngineInfo } from "@taskmuster/kvs/protocol";
import type { CommandLine } from "./command-line.js";
import type { ContextPlan } from "./contexts/plan-context.js";
import { type RecoverySettings, recoverySettings } from "./recovery-settings.js";
import { UsageError } from "./usage-error.js";

/** What `--recover` asks for: a run, and what is different from a new one. */
export interface Recovery extends RecoverySettings {
  readonly remains: Remains;
  readonly assumeDead: boolean;
  /** A server of somebody else's that the run had; null: a private one. */
  readonly server: KvsAddress | null;
  /** What was kept of a list that was a stream; null: it was a file. */
  readonly kept: { readonly name: string; readonly upTo: number } | null;
  readonly spool: string | null;
  /** Throws a usage error when the list is not what it was. */
  check(list: ListFacts | null): void;
  /** Where status files of earlier runs are now. */
  whereNow(paths: readonly string[]): readonly string[];
  /** What of a context is to be started beside engines that are at work. */
  besides(plan: ContextPlan | null, engines: readonly EngineSnapshot[]): ContextPlan | null;
}

/**
 * Null: a new run is wanted. Else this process is in the directory of the run from now on, as all that its command line names is meant from
 * there. Throws `UsageError`.
 */
export function recoveryOf(line: Extract<CommandLine, { readonly kind: "run" }>): Recovery | null {
  const { recover, assumeDead } = line.options;
  if (typeof recover !== "string") {
    if (assumeDead === true) throw new UsageError("--assume-dead goes with --recover PREFIX");
    return null;
  }
  const remains = readRemains(recover);
  const { run, files, address } = remains;
  const cwd = process.cwd();
  enter(run.cwd);
  const chosen = recoverySettings(line, remains, process.env, hostname(), cwd);
  const stream = run.list.kind === "stream" ? run.list : null;
  const upTo = stream === null ? 0 : wholeLines(stream.spool);
  const notices =
    stream === null
      ? []
      : [`the list was a stream: what had been read of it is in ${stream.spool}, and is all that is run`];
  return {
    ...chosen,
    settings: { ...chosen.settings, notices: [...notices, ...chosen.settings.notices] },
    remains,
    assumeDead: assumeDead === true,
    server: address === null || address.private ? null : address,
    kept: stream === null ? null : { name: stream.name, upTo },
    spool: stream?.spool ?? null,
    check: (list) => {
      if (list !== null) checkList(run.list, list, files, run);
    },
    whereNow: (paths) =>
      paths.map((path) => (run.setAside !== null && resolve(path) === files.status ? run.setAside : path)),
    besides: (plan, engines) => (chosen.asksForContexts ? relabelled(plan) : whereNobodyIs(plan, engines)),
  };
}

function enter(directory: string): void {
  try {
    process.chdir(directory);
  } catch {
    throw new UsageError(
      `--recover: the run was started in ${directory}, which cannot be entered on ${hostname()}: its tasks run there`,
    );
  }
}

/** Its own name is that of a context of before. */
function relabelled(plan: ContextPlan | null): ContextPlan | null {
  return plan === null ? null : { ...plan, exactLabel: false };
}

/** Engines of before go on; a second one beside them would take the same cores. */
function whereNobodyIs(plan: ContextPlan | null, engines: readonly EngineSnapshot[]): ContextPlan | null {
  if (plan === null) return null;
  const hosts = engines.map(({ info }) => decodeEngineInfo(info).host);
  const isBusy = (host: string): boolean =>
    hosts.some((each) => (isThisHost(host, hostname()) ? each === hostname() : isSameHost(each, host)));
  const plans = plan.plans.filter(({ host }) => !isBusy(host));
  return plans.length === 0 ? null : { ...plan, plans, exactLabel: false };
}

/** One may be named with its domain, and one without. */
function isSameHost(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`);
}
