import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename } from "node:path";
import { runFiles } from "../run-files.js";
import { codeOf, reasonOf } from "../status-file.js";
import type { LedgerOf } from "../core/audit/audit.js";
import type { RunState } from "../core/audit/begun.js";
import { type ChosenSection, chooseSection } from "../core/audit/choose-section.js";
import type { FileRows } from "../core/audit/file-rows.js";
import { type Ledger, parseLedger } from "../core/audit/ledger.js";

/** The prefix of a run by the path of its status file, also of one that was set aside. Null: the name does not tell. */
export function prefixOf(statusFile: string): string | null {
  return /^(.+?)_status(?:_\d+)?\.txt$/.exec(statusFile)?.[1] ?? null;
}

/** What stands in the ledger of a prefix. */
export type LedgerText =
  | { readonly found: "read"; readonly path: string; readonly text: string }
  | {
      readonly found: "missing" | "unreadable" | "unnamed";
      readonly path: string | null;
      readonly why: string;
    };

export function readLedger(prefix: string | null): LedgerText {
  if (prefix === null) return { found: "unnamed", path: null, why: "" };
  const path = runFiles(prefix).ledger;
  try {
    const text = textOf(path);
    if (text === null)
      return { found: "unreadable", path, why: "it is no ledger: no regular file, or a huge one" };
    if (text.includes("\n")) return { found: "read", path, text };
    return { found: "unreadable", path, why: "there is nothing in it" };
  } catch (error) {
    const found = codeOf(error) === "ENOENT" ? "missing" : "unreadable";
    return { found, path, why: reasonOf(error) };
  }
}

/** Null: it is nothing that could be a ledger. Throws the system's error. */
function textOf(path: string): string | null {
  // To open a named pipe would take until there is a writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= mostBytes ? readFileSync(fd, "utf8") : null;
  } finally {
    closeSync(fd);
  }
}

export interface LedgerFacts {
  readonly ledger: LedgerOf;
  readonly chosen: ChosenSection | null;
}

/** What the ledger says of a status file. */
export function factsOf(read: LedgerText, statusFile: string, rows: FileRows): LedgerFacts {
  if (read.found !== "read") {
    const { path, found, why } = read;
    return { ledger: { path, found, why, badLines: [] }, chosen: null };
  }
  const parsed: Ledger = parseLedger(read.text);
  const { path } = read;
  const { badLines, sections } = parsed;
  if (sections.length === 0) {
    return {
      ledger: { path, found: "unreadable", why: "no line of it is an entry of a ledger", badLines },
      chosen: null,
    };
  }
  const { span, driverPids } = rows;
  const chosen = chooseSection(parsed, { name: basename(statusFile), span, driverPids });
  return { ledger: { path, found: chosen === null ? "otherRun" : "read", why: "", badLines }, chosen };
}

/** Whether a driver is at work on a prefix, as far as can be told from here. To be asked before its files are read. */
export interface SignsOfLife {
  /** It is there as long as the run's store is, and stays behind when its driver is killed. */
  readonly hasAddressFile: boolean;
  readonly host: string;
  isRunning(pid: number): boolean;
}

export function signsOfLife(prefix: string | null): SignsOfLife {
  return {
    hasAddressFile: prefix !== null && existsSync(runFiles(prefix).kvsInfo),
    host: hostname(),
    isRunning,
  };
}

export function stateOf(chosen: ChosenSection | null, signs: SignsOfLife): RunState {
  if (chosen === null) return "unknown";
  const { run, end, drivers } = chosen.section;
  if (end !== null) return "ended";
  // Nobody takes a prefix whose run is at work.
  if (!chosen.isLast || !signs.hasAddressFile) return "brokenOff";
  // Whoever took it over last.
  const driver = drivers.at(-1) ?? run;
  if (driver === null || driver.host !== signs.host) return "unknown";
  return signs.isRunning(driver.pid) ? "atWork" : "brokenOff";
}

/** Sends nothing: signal 0 only asks. */
function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** A ledger is small: it does not grow with what ends well. */
const mostBytes = 256 * 1024 * 1024;
