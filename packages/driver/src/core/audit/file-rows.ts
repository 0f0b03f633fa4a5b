import { type AuditRow, type RowFault, contradictionOf, contradictions } from "./audit-row.js";
import { NumberRows } from "./number-rows.js";
import { TaskTable, bit } from "./task-table.js";

/** disBatch's code for a task whose end nobody saw. */
const givenUpCode = -100;

export interface Counts {
  /** Lines that are rows; without the header. */
  rows: number;
  /** Tasks with a final row of this run's own, and those of them that failed. */
  tasks: number;
  failed: number;
  /** Of the failed ones those of which nobody saw the end. */
  givenUp: number;
  /** Tasks that an earlier run had done, and those of them that had failed. */
  skipped: number;
  skippedFailed: number;
  barriers: number;
  /** Rows of PERENGINE commands, and those of them that failed. */
  perEngine: number;
  perEngineFailed: number;
}

/** When something happened, in seconds since 1970. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** What one status file holds: fed with its lines in order. */
export class FileRows {
  readonly table = new TaskTable();
  readonly counts: Counts = {
    rows: 0,
    tasks: 0,
    failed: 0,
    givenUp: 0,
    skipped: 0,
    skippedFailed: 0,
    barriers: 0,
    perEngine: 0,
    perEngineFailed: 0,
  };
  /** Late rows: id, number of the line, return code, start, finish. */
  readonly late = new NumberRows(5);
  /** Rows of ids that have a final row already: id, number of the line, line of that final row. */
  readonly second = new NumberRows(3);
  /** Rows that contradict themselves: number of the line, id, index in `contradictions`. */
  readonly odd = new NumberRows(3);
  /** Lines that are no rows: number of the line, and what `faultAt` makes of the rest. */
  readonly #bad = new NumberRows(2);
  readonly #faults: RowFault[] = [];
  /** The last line has no end; `id`: of its task, if that can be told. */
  torn: { readonly at: number; readonly id: number | null } | null = null;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  #barrierPids: ReadonlySet<number> = new Set();

  /** `at`: number of the line, from 1. */
  addRow(row: AuditRow, at: number): void {
    const { counts, table } = this;
    counts.rows++;
    const contradiction = contradictionOf(row);
    if (contradiction !== null) this.odd.push(at, row.id, contradictions.indexOf(contradiction));
    if (row.kind !== "skipped") {
      this.#first = Math.min(this.#first, row.start);
      this.#last = Math.max(this.#last, row.finish);
    }
    if (row.kind === "perEngine") {
      counts.perEngine++;
      if (row.returnCode !== 0) counts.perEngineFailed++;
    } else if (row.kind === "zombie") {
      this.late.push(row.id, at, row.returnCode, row.start, row.finish);
      table.addLate(row.id);
    } else this.#addFinal(row, at);
  }

  addFault(fault: RowFault, at: number): void {
    // Few differ, however many lines are bad.
    let index = this.#faults.findIndex((each) => JSON.stringify(each) === JSON.stringify(fault));
    if (index === -1) index = this.#faults.push(fault) - 1;
    this.#bad.push(at, index);
  }

  get badCount(): number {
    return this.#bad.length;
  }

  *bad(): Generator<{ readonly at: number; readonly fault: RowFault }> {
    for (let row = 0; row < this.#bad.length; row++) {
      const fault = this.#faults[this.#bad.at(row, 1)];
      if (fault !== undefined) yield { at: this.#bad.at(row, 0), fault };
    }
  }

  /** When this run's own tasks ran; null: it has none. */
  get span(): Span | null {
    return this.#first > this.#last ? null : { first: this.#first, last: this.#last };
  }

  /** Of the drivers that passed a barrier. */
  get driverPids(): ReadonlySet<number> {
    return this.#barrierPids;
  }

  #addFinal(row: AuditRow, at: number): void {
    const { counts, table } = this;
    const failed = row.returnCode !== 0;
    const isBarrier = row.kind === "barrier" || row.kind === "checkBarrier";
    const givenUp = row.kind === "task" && row.returnCode === givenUpCode;
    const bits =
      (isBarrier ? bit.barrier : row.kind === "skipped" ? bit.skipped : bit.task) |
      (failed ? bit.failed : 0) |
      (row.pid === -1 ? bit.noShell : 0) |
      (givenUp ? bit.givenUp : 0) |
      (row.kind === "timedOut" ? bit.timedOut : 0);
    if (!table.setFinal(row.id, bits, row, at)) {
      this.second.push(row.id, at, table.final(row.id)?.at ?? 0);
      return;
    }
    if (isBarrier) {
      counts.barriers++;
      if (!this.#barrierPids.has(row.pid)) this.#barrierPids = new Set([...this.#barrierPids, row.pid]);
    } else if (row.kind === "skipped") {
      counts.skipped++;
      if (failed) counts.skippedFailed++;
    } else {
      counts.tasks++;
      if (failed) counts.failed++;
      if (givenUp) counts.givenUp++;
    }
  }
}
