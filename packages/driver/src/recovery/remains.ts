import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { TaskmusterError } from "@taskmuster/kvs";
import { type RunAddress, readAddressFile } from "@taskmuster/kvs/server";
import { type LedgerRun, type LedgerSection, parseLedger } from "../core/audit/ledger.js";
import type { LedgerDriver, ListFacts } from "../core/ledger-entry.js";
import { type RunFiles, runFiles } from "../run-files.js";
import type { RunMarks } from "./host-processes.js";
import { reasonOf } from "../status-file.js";

/** What a run whose driver is gone has left on disk. */
export interface Remains {
  readonly files: RunFiles;
  readonly run: LedgerRun & { readonly args: readonly string[]; readonly list: ListFacts };
  readonly section: LedgerSection;
  /** The last one. */
  readonly driver: LedgerDriver;
  /** Null: it is gone, as its store is. */
  readonly address: RunAddress | null;
}

/**
 * Finds a run that did not end, by its prefix or one of its files. Throws a usage error when there is none, when it has ended, or
 * when too little of it is known.
 */
export function readRemains(where: string): Remains {
  const files = runFiles(prefixOf(where));
  const section = lastSection(files.ledger);
  const { run, end } = section;
  if (end !== null) {
    throw usage(
      `the run ${files.prefix} has ended (${end.reason}${end.done === null ? "" : `, ${end.done} tasks done`}): there is nothing to ` +
        `recover. To run what it has left: ${resumeHint(files, run)}`,
    );
  }
  const { args = null, list = null } = run ?? {};
  if (run === null || args === null || list === null) throw tooLittle(files, run);
  if (list.kind === "program") {
    throw usage(
      `the tasks of ${files.prefix} came from a program by way of the key-value store, and nobody can ask it for the rest. What it ` +
        `had handed over is in ${list.spool}; when nothing of that run works any more, go on with that: ` +
        `driver -r ${files.status} … ${list.spool}`,
    );
  }
  const driver = section.drivers.at(-1);
  if (driver === undefined) throw tooLittle(files, run);
  return { files, run: { ...run, args, list }, section, driver, address: addressOf(files) };
}

/** By what its processes are known on a host. */
export function marksOf({ prefix }: RunFiles, { cwd }: LedgerRun): RunMarks {
  return { prefix, cwd };
}

function tooLittle(files: RunFiles, run: LedgerRun | null): TaskmusterError {
  return usage(
    `the ledger of ${files.prefix} does not say enough to take the run over: it is that of an older version, or was cut off. ` +
      `When nothing of that run works any more, go on with ${resumeHint(files, run)}`,
  );
}

function lastSection(path: string): LedgerSection {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new TaskmusterError("E_USAGE", `--recover: cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
  const section = parseLedger(text).sections.at(-1);
  if (section !== undefined) return section;
  throw usage(`${path} is not the ledger of a run: no line of it is an entry of one`);
}

/** Throws `KvsError` when it is there and cannot be used. */
function addressOf(files: RunFiles): RunAddress | null {
  return existsSync(files.kvsInfo) ? readAddressFile(files.kvsInfo) : null;
}

/** Whether a run with this prefix was begun and did not end, as far as its ledger tells. Does not throw. */
export function isUnfinished(prefix: string): boolean {
  try {
    const { run, end } = lastSection(runFiles(prefix).ledger);
    return run !== null && run.args !== null && end === null;
  } catch {
    return false;
  }
}

/** The other host that has the private store of a run which did not end; null: none, as far as its ledger tells. Does not throw. */
export function distantStore(prefix: string): string | null {
  try {
    const { run, end, drivers } = lastSection(runFiles(prefix).ledger);
    const host = drivers.at(-1)?.storeHost ?? null;
    return run !== null && run.args !== null && end === null && host !== hostname() ? host : null;
  } catch {
    return null;
  }
}

const suffixes = ["_status.txt", "_ledger", "_kvsinfo.txt", "_dbUtil.sh", "_driver.log", "_tasks", "_"];

/** As people type it: the prefix itself, or the name of one of the run's files, of a link to its script, or of its task file. */
function prefixOf(where: string): string {
  const names = [where];
  // `TASKFILE_dbUtil.sh` is a link to the newest run's.
  for (const link of [where, `${where}_dbUtil.sh`]) {
    try {
      names.push(realpathSync(link));
    } catch {
      // A prefix need not be the name of a file.
    }
  }
  const candidates = names.flatMap((name) => [
    resolve(name),
    ...suffixes
      .filter((suffix) => name.endsWith(suffix))
      .map((suffix) => resolve(name.slice(0, -suffix.length))),
  ]);
  const found = candidates.find((prefix) => existsSync(runFiles(prefix).ledger));
  if (found !== undefined) return found;
  if (statSync(where, { throwIfNoEntry: false })?.isDirectory() === true) return onlyOneIn(where);
  throw usage(
    `there is no run ${resolve(where)}: no ${runFiles(resolve(where)).ledger}. Name it by its prefix, its status file, or its task file`,
  );
}

function onlyOneIn(directory: string): string {
  const prefixes = readdirSync(directory)
    .filter((name) => name.endsWith("_ledger"))
    .map((name) => resolve(directory, name.slice(0, -"_ledger".length)))
    .filter(isUnfinished);
  const [only, ...others] = prefixes;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) throw usage(`no run in ${resolve(directory)} was left unfinished`);
  throw usage(
    `several runs in ${resolve(directory)} did not end; name one of them:\n  ${prefixes.join("\n  ")}`,
  );
}

/** The command that runs what is left, without what the store knew. */
function resumeHint(files: RunFiles, run: LedgerRun | null): string {
  const list =
    run?.list?.kind === "stream" || run?.list?.kind === "program"
      ? run.list.spool
      : (run?.taskFile ?? "TASKFILE");
  return `driver -r ${files.status} … ${list}`;
}

/** An error of whoever asked for a recovery. */
export function usage(message: string): TaskmusterError {
  return new TaskmusterError("E_USAGE", `--recover: ${message}`);
}

/** Throws a usage error when the list is not what it was when the run began. */
export function checkList(was: ListFacts, is: ListFacts, files: RunFiles, run: LedgerRun): void {
  if (was.kind !== "file" || is.kind !== "file") return;
  if (was.bytes === is.bytes && was.sha256 === is.sha256) return;
  const how =
    was.bytes === is.bytes ? "has other words in it" : `had ${was.bytes} bytes, and has ${is.bytes}`;
  throw usage(
    `the task file ${was.path} is not what it was when the run began: it ${how}. Put it back as it was; or, when nothing of that ` +
      `run works any more, run the new one: ${resumeHint(files, run)}`,
  );
}
