import { quietWindow } from "../ledger-entry.js";
import type { FileRows } from "./file-rows.js";
import { type LedgerSection, type Loss, completeVersion } from "./ledger.js";
import { type TaskTable, bit, finalBits } from "./task-table.js";

/** More tasks than that a driver never hands out before they end; see `Window`. */
const mostWindow = 20_000;

/** How a run stands. `brokenOff`: its driver was killed. `unknown`: there is no ledger, or its driver's host is another one. */
export type RunState = "ended" | "atWork" | "brokenOff" | "unknown";

/** One attempt that did not end by itself. */
export interface BegunAttempt {
  readonly attempt: number;
  readonly loss: Loss;
}

/** By task id, in order of id. Those that came back after all, before anybody had the next attempt, are not there. */
export function begunAttempts(section: LedgerSection | null): ReadonlyMap<number, readonly BegunAttempt[]> {
  const found = new Map<number, BegunAttempt[]>();
  for (const loss of section?.losses ?? []) {
    for (const { id, attempt } of loss.tasks) {
      if (section?.returned.has(`${id}:${attempt}`) === true) continue;
      const before = found.get(id) ?? [];
      // A repetition is not another attempt.
      if (before.some((each) => each.attempt === attempt)) continue;
      found.set(id, [...before, { attempt, loss }]);
    }
  }
  return new Map([...found].toSorted(([a], [b]) => a - b));
}

/** What one run did with one task. */
export interface Starts {
  /** Attempts whose end has a row. */
  readonly ended: number;
  /** Attempts that may have begun, and have none. */
  readonly begun: number;
}

/** `lateRows`, `lost`: how many late rows it has in the file, and attempts that did not end in the ledger; some are both. */
export function startsOf(bits: number, lateRows: number, lost: number): Starts {
  const ran = (bits & bit.task) !== 0 && (bits & bit.noShell) === 0 ? 1 : 0;
  const unnamed = (bits & bit.givenUp) !== 0 && lost + lateRows === 0 ? 1 : 0;
  return { ended: ran + lateRows, begun: Math.max(0, lost - lateRows) + unnamed };
}

/** Whether tasks without a row may have begun of which the ledger does not tell. */
export function hidesBegun(section: LedgerSection | null, state: RunState, knowsAll: boolean): boolean {
  if (state === "atWork") return false;
  switch (section?.end?.reason ?? null) {
    case "finished":
    case "drained":
    case "barrierCheck":
    case "badInput":
      return false;
    case "stopped":
    case "failFast":
    case "noEngines":
      return !knowsAll;
    case null:
    default:
      // Killed; or it lost its store, or its disk; or there is no ledger.
      return true;
  }
}

/**
 * Ids without a row that may have begun when a run was killed: tasks are handed out in order, none past a barrier that is not
 * passed, and only so many. `isBarrier`: known from elsewhere.
 */
export function* mayHaveBegun(
  rows: FileRows,
  section: LedgerSection | null,
  isBarrier: (id: number) => boolean,
): Generator<number> {
  const namesAll = (section?.run?.version ?? 0) >= completeVersion;
  let left = section?.window ?? (namesAll ? quietWindow : mostWindow);
  const end = rows.table.highest + 1 + left;
  for (const [first, last] of rows.table.ranges(end, isWithoutRow)) {
    for (let id = first; id <= last; id++) {
      if (left-- === 0 || isBarrier(id)) return;
      yield id;
    }
  }
}

function isWithoutRow(bits: number): boolean {
  return (bits & finalBits) === 0;
}

export function markBegun(table: TaskTable, begun: ReadonlyMap<number, unknown>): void {
  for (const id of begun.keys()) table.mark(id, bit.begun);
}
