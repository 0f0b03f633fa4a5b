import { readdirSync, realpathSync, statSync } from "node:fs";
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

/**
 * The run that is meant: by its prefix, by one of its files, by its dbUtil.sh (or a link to it), or the newest one in a
 * directory. Throws `UsageError` when there is none at work there.
 */
export async function findRun(where: string): Promise<FoundRun> {
  if (isDirectory(where)) return newestIn(where);
  for (const prefix of prefixesOf(where)) {
    const addressFile = `${prefix}${addressSuffix}`;
    if (statSync(addressFile, { throwIfNoEntry: false }) !== undefined) return { prefix, addressFile };
  }
  const prefix = prefixesOf(where)[0] ?? where;
  const end = await howItEnded(prefix);
  throw new UsageError(
    end === null
      ? `no run with the prefix ${prefix} is at work: there is no ${prefix}${addressSuffix}`
      : `the run ${prefix} has ended: ${end}`,
  );
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

/** What may be meant by a name, likeliest first. */
function prefixesOf(where: string): readonly string[] {
  const names = [where];
  if (where.endsWith(scriptSuffix)) {
    try {
      // `TASKFILE_dbUtil.sh` is a link to the newest run's.
      names.unshift(realpathSync(where));
    } catch {
      // It is not there; its name may still tell.
    }
  }
  const suffixes = [scriptSuffix, addressSuffix, "_status.txt", "_ledger", "_driver.log"];
  return names.map((name) => {
    const suffix = suffixes.find((each) => name.endsWith(each));
    return resolve(suffix === undefined ? name : name.slice(0, -suffix.length));
  });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
