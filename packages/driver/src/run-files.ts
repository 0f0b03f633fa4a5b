import { existsSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { TaskmusterError } from "@taskmuster/kvs";

/** The names of all files of one run: a common prefix (disBatch's unique id) and what each adds to it. */
export interface RunFiles {
  /** Absolute. */
  readonly prefix: string;
  /** `DISBATCH_JOBID`. */
  readonly jobId: string;
  readonly status: string;
  readonly ledger: string;
  /** The list as it came, when it came as a stream. */
  readonly spool: string;
  readonly kvsInfo: string;
  readonly driverLog: string;
  readonly dbUtil: string;
}

export function runFiles(prefix: string): RunFiles {
  return {
    prefix,
    jobId: basename(prefix),
    status: `${prefix}_status.txt`,
    ledger: `${prefix}_ledger`,
    spool: `${prefix}_tasks`,
    kvsInfo: `${prefix}_kvsinfo.txt`,
    driverLog: `${prefix}_driver.log`,
    dbUtil: `${prefix}_dbUtil.sh`,
  };
}

/**
 * The prefix that `-p` means: an existing directory gets a name made of the task file's, the date and a random
 * number; anything else is taken as it is. Throws `TaskmusterError` (E_PREFIX) when its directory is missing.
 */
export function choosePrefix(options: {
  readonly option: string;
  readonly nameTasks: string;
  readonly cwd: string;
  readonly now: Date;
  /** 0 to 999. */
  readonly random: () => number;
}): string {
  if (options.option === "") {
    throw new TaskmusterError(
      "E_PREFIX",
      "-p is empty: give a directory, or a prefix for the names of the run's files",
    );
  }
  const path = isAbsolute(options.option) ? options.option : join(options.cwd, options.option);
  if (isDirectory(path)) {
    for (;;) {
      const name = `${options.nameTasks}_disBatch_${stamp(options.now)}_${String(options.random()).padStart(3, "0")}`;
      const prefix = join(path, name);
      if (!existsSync(runFiles(prefix).status)) return prefix;
    }
  }
  const parent = dirname(resolve(path));
  if (options.option.endsWith("/") || !isDirectory(parent)) {
    const missing = options.option.endsWith("/") ? path : parent;
    throw new TaskmusterError(
      "E_PREFIX",
      `Directory ${missing} does not exist. Make it, or choose another -p.`,
    );
  }
  return resolve(path);
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // A file where a directory was named, or one that we may not look into, is none for us either.
    return false;
  }
}

/** Local time as `yymmddHHMMSS`. */
function stamp(now: Date): string {
  const parts = [now.getFullYear() % 100, now.getMonth() + 1, now.getDate()];
  const clock = [now.getHours(), now.getMinutes(), now.getSeconds()];
  return [...parts, ...clock].map((part) => String(part).padStart(2, "0")).join("");
}
