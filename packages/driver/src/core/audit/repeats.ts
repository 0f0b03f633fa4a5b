import { type BegunAttempt, begunAttempts, markBegun, startsOf } from "./begun.js";
import type { FileRows } from "./file-rows.js";
import type { LedgerSection } from "./ledger.js";
import type { PastOfTask, PastRuns } from "./past-runs.js";
import { type FinalRow, bit, finalBits } from "./task-table.js";

export interface LateRow {
  /** Number of its line in the status file. */
  readonly at: number;
  readonly returnCode: number;
  /** Seconds since 1970. */
  readonly start: number;
  readonly finish: number;
}

/** A task that may have run more than once. */
export interface Repeat {
  readonly id: number;
  /** More than one attempt has a row: it did run more than once. */
  readonly certain: boolean;
  /** For so many seconds two attempts ran at the same time, by the clocks of their hosts. */
  readonly overlapSeconds: number;
  readonly late: readonly LateRow[];
  /** Attempts that the ledger names and that have no late row for certain: which of them late rows are of is not known. */
  readonly begun: readonly BegunAttempt[];
  /** Null: it has no final row of this run's own. */
  readonly final: FinalRow | null;
  /** What earlier runs did with it. */
  readonly past: PastOfTask;
}

/** What a run's own files, and those of the runs before it, say of how often each task ran. */
export class Repeats {
  readonly #rows: FileRows;
  readonly #past: PastRuns;
  readonly #begun: ReadonlyMap<number, readonly BegunAttempt[]>;

  constructor(rows: FileRows, section: LedgerSection | null, past: PastRuns) {
    this.#rows = rows;
    this.#past = past;
    this.#begun = begunAttempts(section);
    markBegun(rows.table, this.#begun);
    for (const id of past.ids()) rows.table.mark(id, bit.past);
  }

  /** Those that may have run more than once though nobody asked for it, in order of id. */
  *unasked(): Generator<Repeat> {
    const late = this.#lateRows();
    for (const id of this.#candidates()) {
      const { starts, asked, certain } = this.#starts(id);
      if (starts - asked < 2) continue;
      const lateRows = late(id);
      const bits = this.#rows.table.bitsOf(id);
      const ran = (bits & bit.task) !== 0 && (bits & bit.noShell) === 0;
      const final = (bits & bit.task) === 0 ? null : this.#rows.table.final(id);
      yield {
        id,
        certain,
        overlapSeconds: longestOverlap(ran && final !== null ? [...lateRows, final] : lateRows),
        late: lateRows,
        begun: this.#begun.get(id) ?? [],
        final,
        past: this.#past.of(id),
      };
    }
  }

  /** Those that failed in an earlier run and ran again in this one, as they were asked to (`-R`), in order of id. */
  *asked(): Generator<number> {
    for (const id of this.#candidates()) {
      const { starts, asked } = this.#starts(id);
      const isOwn = (this.#rows.table.bitsOf(id) & bit.task) !== 0;
      if (isOwn && asked > 0 && starts - asked < 2) yield id;
    }
  }

  /** Those that may have begun though they have no row, as far as the ledger tells, in order of id. */
  *begunWithoutRow(): Generator<{ readonly id: number; readonly attempts: readonly BegunAttempt[] }> {
    for (const [id, attempts] of this.#begun) {
      if ((this.#rows.table.bitsOf(id) & finalBits) === 0) yield { id, attempts };
    }
  }

  #candidates(): Generator<number> {
    return this.#rows.table.ids((bits) => (bits & (bit.late | bit.begun | bit.past)) !== 0);
  }

  #starts(id: number): { readonly starts: number; readonly asked: number; readonly certain: boolean } {
    const bits = this.#rows.table.bitsOf(id);
    const past = this.#past.of(id);
    const here = startsOf(bits, this.#rows.table.lateRows(id), this.#begun.get(id)?.length ?? 0);
    // Each that failed was run again because that was asked for; the last one was followed by none.
    const own = (bits & bit.task) !== 0 ? 1 : 0;
    const asked = Math.max(0, Math.min(past.failed, past.finals + own - 1));
    return {
      starts: here.ended + here.begun + past.ended + past.begun,
      asked,
      certain: here.ended + past.ended - asked > 1,
    };
  }

  /** Looks late rows up for ids that are asked for in order. */
  #lateRows(): (id: number) => readonly LateRow[] {
    const { late } = this.#rows;
    const order = late.orderedBy(0);
    let next = 0;
    return (id) => {
      const found: LateRow[] = [];
      for (; next < order.length && late.at(order[next] ?? 0, 0) <= id; next++) {
        const row = order[next] ?? 0;
        if (late.at(row, 0) !== id) continue;
        found.push({
          at: late.at(row, 1),
          returnCode: late.at(row, 2),
          start: late.at(row, 3),
          finish: late.at(row, 4),
        });
      }
      return found;
    };
  }
}

/** Seconds for which any two of them ran at the same time. */
function longestOverlap(attempts: readonly { readonly start: number; readonly finish: number }[]): number {
  const ordered = attempts.toSorted((a, b) => a.start - b.start);
  let longest = 0;
  let latest = Number.NEGATIVE_INFINITY;
  for (const { start, finish } of ordered) {
    longest = Math.max(longest, Math.min(latest, finish) - start);
    latest = Math.max(latest, finish);
  }
  return longest;
}
