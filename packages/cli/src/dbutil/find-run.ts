import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { readRunEnd } from "../monitor/run-end.js";
import { UsageError } from "../usage-error.js";
import { plural } from "../wording.js";

/** A run that is at work, or was until its driver died: its address file is there. */
export interface FoundRun {
  readonly prefix: string;
  readonly addressFile: string;
}

const addressSuffix = "_kvsinfo.txt";
const scriptSuffix = "_dbUtil.sh";
const statusSuffix = "_status.txt";

/**
 * The run that is meant: by its prefix, by one of its files, by its dbUtil.sh (or a link to it), or the newest one in a
 * directory. Throws `UsageError` when there is none at work there.
 */
export async function findRun(where: string): Promise<FoundRun> {
  const [prefix = where, ...others] = prefixesOf(where);
  for (const each of [prefix, ...others]) {
    const addressFile = `${each}${addressSuffix}`;
    if (existsSync(addressFile)) return { prefix: each, addressFile };
  }
  // Only now: a task may have made a directory of the name of its run's prefix.
  if (isDirectory(where)) return newestIn(where);
  return notAtWork(others.at(-1) ?? prefix);
}

/** The run with exactly this prefix. Throws `UsageError` when it is not at work. */
export async function findPrefix(prefix: string): Promise<FoundRun> {
  const addressFile = `${prefix}${addressSuffix}`;
  return existsSync(addressFile) ? { prefix, addressFile } : notAtWork(prefix);
}

async function notAtWork(prefix: string): Promise<never> {
  const end = await howItEnded(prefix);
  throw new UsageError(
    end === null
      ? `no run with the prefix ${prefix} is at work: there is no ${prefix}${addressSuffix}`
      : `the run ${prefix} has ended: ${end}`,
  );
}

/** The status file that is meant: itself, or that of a run by its prefix, one of its files or its dbUtil.sh. Throws `UsageError`. */
export function statusFileMeant(named: string | undefined, env: NodeJS.ProcessEnv): string {
  const byScript = env["TASKMUSTER_RUN"] ?? "";
  if (named === undefined && byScript === "") {
    throw new UsageError("name a status file, or a run by its prefix or its dbUtil.sh");
  }
  if (named === undefined) return `${byScript}${statusSuffix}`;
  if (named.endsWith(statusSuffix)) return named;
  // What is itself no other file of a run may be a status file of any name, or a prefix: who reads it sees.
  const [, ...prefixes] = prefixesOf(named);
  return prefixes.map((prefix) => `${prefix}${statusSuffix}`).find((path) => existsSync(path)) ?? named;
}

/** In words, when the run's ledger says that it has ended; null: it does not say so. */
export async function howItEnded(prefix: string): Promise<string | null> {
  const end = await readRunEnd(prefix);
  if (end === null) return null;
  return end.done === null ? end.reason : `${end.reason}, ${plural(end.done, "task")} done`;
}

function newestIn(directory: string): FoundRun {
  const newest = readdirSync(directory)
    .filter((name) => name.endsWith(addressSuffix))
    .map((name) => resolve(join(directory, name)))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .toSorted((a, b) => b.at - a.at)[0];
  if (newest !== undefined) {
    return { prefix: newest.path.slice(0, -addressSuffix.length), addressFile: newest.path };
  }
  throw new UsageError(
    `no run is at work in ${resolve(directory)}: there is no *${addressSuffix}. Name a run by its prefix, or its dbUtil.sh`,
  );
}

/** What may be meant by a name: it is a prefix itself, or one of the files of a run. */
function prefixesOf(where: string): readonly string[] {
  const names = [where];
  if (where.endsWith(scriptSuffix)) {
    try {
      // `TASKFILE_dbUtil.sh` is a link to the newest run's.
      names.push(realpathSync(where));
    } catch {
      // It is not there; its name may still tell.
    }
  }
  const suffixes = [scriptSuffix, addressSuffix, statusSuffix, "_ledger", "_driver.log"];
  const stripped = names.toReversed().flatMap((name) => {
    const suffix = suffixes.find((each) => name.endsWith(each));
    return suffix === undefined ? [] : [resolve(name.slice(0, -suffix.length))];
  });
  return [resolve(where), ...stripped];
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
