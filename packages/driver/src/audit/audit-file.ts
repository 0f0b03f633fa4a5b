import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { StatusFileError } from "../status-file.js";
import { placesOf } from "../earlier-files.js";
import { runFiles } from "../run-files.js";
import { checkList } from "./check-list.js";
import { Audit, type EarlierFile } from "../core/audit/audit.js";
import type { RunState } from "../core/audit/begun.js";
import { PastRuns } from "../core/audit/past-runs.js";
import { bit } from "../core/audit/task-table.js";
import { type LedgerFacts, factsOf, prefixOf, readLedger, signsOfLife, stateOf } from "./ledger-of.js";
import { type ScannedFile, scanFile } from "./scan-file.js";

export interface AuditOptions {
  /** The list that the file is of; null: nothing is compared. */
  readonly list: string | null;
}

interface ReadRun extends LedgerFacts {
  readonly path: string;
  readonly scanned: ScannedFile;
  readonly state: RunState;
}

/**
 * Says of a status file, with the ledger beside it and the files of the runs that it goes on from, what they tell. `path` may be the prefix of a
 * run. Throws `StatusFileError` when it cannot be read or is no status file, `TaskmusterError` when the list cannot be read.
 */
export async function auditFile(path: string, options: AuditOptions): Promise<Audit> {
  const run = await readRun(statusFileOf(resolve(path)), options.list !== null);
  const { rows, bytes } = run.scanned;
  const past = new PastRuns();
  const isBarrier = (id: number): boolean => (rows.table.bitsOf(id) & bit.barrier) !== 0;
  const earlier: EarlierFile[] = [];
  await foldEarlier(run, new Set([run.scanned.identity]), past, isBarrier, earlier);
  return new Audit({
    file: { path: run.path, bytes },
    rows,
    ledger: run.ledger,
    section: run.chosen?.section ?? null,
    state: run.state,
    past,
    earlier,
    list: options.list === null ? null : await checkList(options.list, rows),
  });
}

function statusFileOf(path: string): string {
  const named = runFiles(path).status;
  return !existsSync(path) && existsSync(named) ? named : path;
}

/** A run that ends while it is looked at is looked at again: what its ledger says must hold for the rows. */
async function readRun(path: string, withIdentity: boolean): Promise<ReadRun> {
  const prefix = prefixOf(path);
  for (let look = 1; ; look++) {
    const signs = signsOfLife(prefix);
    const ledger = readLedger(prefix);
    const scanned = await scanFile(path, withIdentity);
    const facts = factsOf(ledger, path, scanned.rows);
    const state = stateOf(facts.chosen, signs);
    if (state === "ended" || look === mostLooks || isSame(ledger, readLedger(prefix))) {
      return { path, scanned, state, ...facts };
    }
  }
}

function isSame(one: ReturnType<typeof readLedger>, other: ReturnType<typeof readLedger>): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Folds the runs that `run` went on from, and those before them. `seen`: files that have been read, by their identity. */
async function foldEarlier(
  run: ReadRun,
  seen: Set<string>,
  past: PastRuns,
  isBarrier: (id: number) => boolean,
  told: EarlierFile[],
): Promise<void> {
  const ofRun = run.chosen?.section.run ?? null;
  if (ofRun === null) return;
  for (const name of ofRun.resumedFrom) {
    const candidates = placesOf(name, ofRun, run.path);
    const found = candidates.find((place) => isNews(place, seen));
    if (found === undefined) {
      // One that several runs go on from counts once.
      if (candidates.some((place) => existsSync(place) && place !== run.path)) continue;
      const path = candidates[0] ?? name;
      told.push({ path, why: "no such file", state: "unknown" });
      continue;
    }
    try {
      const earlier = await readRun(found, false);
      seen.add(earlier.scanned.identity);
      told.push({ path: found, why: null, state: earlier.state });
      past.fold(
        {
          rows: earlier.scanned.rows,
          section: earlier.chosen?.section ?? null,
          state: earlier.state,
        },
        isBarrier,
      );
      await foldEarlier(earlier, seen, past, isBarrier, told);
    } catch (error) {
      if (!(error instanceof StatusFileError)) throw error;
      told.push({ path: found, why: error.message, state: "unknown" });
    }
  }
}

function isNews(path: string, seen: ReadonlySet<string>): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && !seen.has(`${stat.dev}:${stat.ino}`);
}

const mostLooks = 3;
