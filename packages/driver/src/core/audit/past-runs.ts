import { type RunState, begunAttempts, hidesBegun, mayHaveBegun, startsOf } from "./begun.js";
import type { FileRows } from "./file-rows.js";
import { type LedgerSection, completeVersion } from "./ledger.js";
import { bit, finalBits } from "./task-table.js";

/** One earlier run, whose status file this one goes on from. */
export interface PastRun {
  readonly rows: FileRows;
  readonly section: LedgerSection | null;
  readonly state: RunState;
}

/** What earlier runs did with one task, all of them together. */
export interface PastOfTask {
  /** Attempts whose end has a row. */
  readonly ended: number;
  /** Runs for which such a row, or the word that nobody saw its end, was the end of the task; and those of them that it failed in. */
  readonly finals: number;
  readonly failed: number;
  /** Attempts that may have begun and have no row; and those of them of which no ledger tells. */
  readonly begun: number;
  readonly guessed: number;
}

/** Earlier runs, folded into a few bytes a task one by one, so that only one of their files is held at a time. */
export class PastRuns {
  readonly #pages = new Map<number, Uint8Array>();

  /** `isBarrier`: of the list that both runs are of, as far as it is known. */
  fold(run: PastRun, isBarrier: (id: number) => boolean): void {
    const { rows, section } = run;
    const begun = begunAttempts(section);
    for (const id of rows.table.ids((bits) => bits !== 0)) {
      const bits = rows.table.bitsOf(id);
      const starts = startsOf(bits, rows.table.lateRows(id), begun.get(id)?.length ?? 0);
      this.#add(id, column.ended, starts.ended);
      this.#add(id, column.begun, starts.begun);
      if ((bits & bit.task) !== 0 && ((bits & bit.noShell) === 0 || (bits & bit.givenUp) !== 0)) {
        this.#add(id, column.finals, 1);
        if ((bits & bit.failed) !== 0) this.#add(id, column.failed, 1);
      }
      if ((bits & finalBits) !== 0) this.#add(id, column.rows, 1);
    }
    for (const [id, attempts] of begun) {
      if (rows.table.bitsOf(id) === 0) this.#add(id, column.begun, attempts.length);
    }
    const torn = rows.torn?.id ?? null;
    if (torn !== null && (rows.table.bitsOf(torn) & finalBits) === 0) this.#add(torn, column.begun, 1);
    if (hidesBegun(section, run.state, (section?.run?.version ?? 0) >= completeVersion)) {
      for (const id of mayHaveBegun(rows, section, isBarrier)) {
        if (begun.has(id) || torn === id) continue;
        this.#add(id, column.begun, 1);
        this.#add(id, column.guessed, 1);
      }
    }
  }

  /** Whether any earlier run has a row of this id. */
  hasRow(id: number): boolean {
    return this.#at(id, column.rows) > 0;
  }

  of(id: number): PastOfTask {
    return {
      ended: this.#at(id, column.ended),
      finals: this.#at(id, column.finals),
      failed: this.#at(id, column.failed),
      begun: this.#at(id, column.begun),
      guessed: this.#at(id, column.guessed),
    };
  }

  /** Ids of which an attempt may have begun, in order. */
  *ids(): Generator<number> {
    for (const index of [...this.#pages.keys()].toSorted((a, b) => a - b)) {
      for (let at = 0; at < pageIds; at++) {
        const id = index * pageIds + at;
        if (this.#at(id, column.ended) + this.#at(id, column.begun) > 0) yield id;
      }
    }
  }

  #at(id: number, which: number): number {
    return this.#pages.get(Math.floor(id / pageIds))?.[(id % pageIds) * columns + which] ?? 0;
  }

  #add(id: number, which: number, count: number): void {
    if (count === 0) return;
    const index = Math.floor(id / pageIds);
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = new Uint8Array(pageIds * columns);
      this.#pages.set(index, page);
    }
    const at = (id % pageIds) * columns + which;
    page[at] = Math.min(255, (page[at] ?? 0) + count);
  }
}

const pageIds = 1 << 12;
const column = { ended: 0, finals: 1, failed: 2, begun: 3, guessed: 4, rows: 5 } as const;
const columns = 6;
