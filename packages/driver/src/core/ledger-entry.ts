/*
 * The ledger: what the status file cannot tell. One line of JSON each, append-only; it does not grow with the finished tasks of a healthy
 * run. This is what a driver writes; `core/audit/ledger` reads it, and what other versions wrote.
 */

/** What this driver writes. */
export const ledgerVersion = 2;

/** A driver that hands out more tasks at a time than this before they end says so. */
export const quietWindow = 1_024;

export interface LedgerTask {
  readonly id: number;
  readonly attempt: number;
}

export interface FailedAttempt extends LedgerTask {
  /** As in the status file: exit status, -signal, errno. */
  readonly returnCode: number;
}

/** From the first to the last id, both included. */
export type LedgerRange = readonly [first: number, last: number];

/** Where a list came from. */
export type ListFacts =
  /** A regular file, and how it was when the run began. */
  | {
      readonly kind: "file";
      /** Absolute. */
      readonly path: string;
      readonly bytes: number;
      readonly sha256: string;
    }
  /** A pipe or the like, kept in the run's spool. */
  | { readonly kind: "stream"; readonly spool: string; readonly name: string }
  /** A program that speaks to the store, kept in the run's spool. */
  | { readonly kind: "program"; readonly spool: string };

/** Which process a number means: numbers are given again, and begin anew with each start of a machine. */
export interface ProcessStamp {
  /** Of this start of the machine. */
  readonly boot: string;
  /** Clock ticks from there to the start of the process. */
  readonly start: string;
}

/** What every version says of a run. */
export interface RunFacts {
  readonly runId: string;
  readonly at: string;
  readonly host: string;
  readonly pid: number;
  readonly cwd: string;
  readonly taskFile: string;
  readonly resumedFrom: readonly string[];
  /** Where the status file was moved to that had this run's name before. */
  readonly setAside: string | null;
  /** Tasks and barriers of the list; null: it is a stream, or nobody says. */
  readonly ids: number | null;
}

/** The first entry of each run with the prefix. */
interface RunEntry extends RunFacts {
  readonly kind: "run";
  readonly version: typeof ledgerVersion;
  readonly options: RunOptions;
  /** The command line, as typed: for a driver that takes the run over. */
  readonly args: readonly string[];
  readonly list: ListFacts;
}

/** What decides how often a task may run, and what a row is worth. */
export interface RunOptions {
  readonly failFast: boolean;
  /** `-R`: tasks that failed in an earlier run run again. */
  readonly retryFailed: boolean;
  readonly forceResume: boolean;
  readonly maxLosses: number;
  /** Where no directive says otherwise. */
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly timeoutMs: number | null;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly cpusPerTask: number;
  /** Rows are on disk before results are acknowledged (not with `--no-fsync`). */
  readonly sync: boolean;
  readonly serves: boolean;
}

export interface LedgerDriver {
  readonly host: string;
  readonly pid: number;
  /** Which process that is; null: it is not known. */
  readonly process: ProcessStamp | null;
  /** Nobody can join its run from another host. */
  readonly hostOnly: boolean;
  /** Where its private store runs; null: it is somebody else's. */
  readonly storeHost: string | null;
}

/** A driver has the run from now on: the first one, or one that has taken it over. */
interface EpochEntry extends LedgerDriver {
  readonly kind: "epoch";
  readonly at: string;
  readonly token: number;
}

/** The same driver has opened the run again, in a store that had forgotten it. */
interface ReopenedEntry {
  readonly kind: "epoch";
  readonly at: string;
  readonly token: number;
}

/** What the store held was lost with the driver before: these may have run, and what became of them is not known. */
interface LostStoreEntry {
  readonly kind: "lostStore";
  readonly at: string;
  readonly why: string;
  /** First attempts. */
  readonly ids: readonly LedgerRange[];
  /** Others. */
  readonly tasks: readonly LedgerTask[];
}

/** Since the store was lost it was waited until nothing of before could run. */
interface SettledEntry {
  readonly kind: "settled";
  readonly at: string;
}

interface LostEngineEntry {
  readonly kind: "lostEngine";
  readonly at: string;
  readonly engine: string;
  readonly rank: number;
  readonly host: string;
  readonly why: string;
  /** What it had claimed: these may have run. */
  readonly tasks: readonly LedgerTask[];
}

/** Attempts that were stopped and handed back; or, `lost`, whose launcher died. No more than there are slots. */
interface StoppedTasksEntry {
  readonly kind: "stoppedTasks";
  readonly at: string;
  readonly host: string;
  readonly lost: boolean;
  readonly why: string;
  readonly tasks: readonly LedgerTask[];
}

/** Attempts that had been given up with their engine and came back before anybody had the next: theirs are the final rows. */
interface ReturnedEntry {
  readonly kind: "returned";
  readonly at: string;
  readonly tasks: readonly LedgerTask[];
}

/** Attempts that failed while their tasks had retries left: of these there are no rows. */
interface RetriesEntry {
  readonly kind: "retries";
  readonly at: string;
  readonly tasks: readonly FailedAttempt[];
}

/** From now on up to so many tasks are handed out that have not ended. */
interface WindowEntry {
  readonly kind: "window";
  readonly at: string;
  readonly tasks: number;
}

/** An engine was told to leave, as everything failed there at once: so many tasks in a row. */
interface BlackHoleEntry {
  readonly kind: "blackHole";
  readonly at: string;
  readonly engine: string;
  readonly name: string;
  readonly failed: number;
}

/** Tasks that ended, and whose rows could not be written. */
interface UnrecordedEntry {
  readonly kind: "unrecorded";
  readonly at: string;
  readonly why: string;
  readonly ids: readonly LedgerRange[];
}

/** `notStarted`: nothing ran, and there is no status file. */
interface EndEntry {
  readonly kind: "end";
  readonly at: string;
  readonly reason: string;
  /** Tasks with a final row of this run's own. */
  readonly done: number;
  /** Tasks and barriers that were read from the list. */
  readonly ids: number;
  /** It was read to its end. */
  readonly listRead: boolean;
  /** Length of the status file. */
  readonly bytes: number;
}

export type LedgerEntry =
  | RunEntry
  | EpochEntry
  | ReopenedEntry
  | LostStoreEntry
  | SettledEntry
  | LostEngineEntry
  | StoppedTasksEntry
  | ReturnedEntry
  | RetriesEntry
  | WindowEntry
  | UnrecordedEntry
  | BlackHoleEntry
  | EndEntry;
