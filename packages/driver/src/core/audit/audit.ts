import { type Contradiction, contradictions } from "./audit-row.js";
import { type BegunAttempt, type RunState, hidesBegun } from "./begun.js";
import type { FileRows } from "./file-rows.js";
import { type LedgerSection, type RetriedAttempt, completeVersion } from "./ledger.js";
import type { PastRuns } from "./past-runs.js";
import { type Repeat, Repeats } from "./repeats.js";
import { type FinalRow, type IdRange, bit, countOf, finalBits } from "./task-table.js";
import { type Total, totalOf } from "./total.js";

export interface AuditedFile {
  readonly path: string;
  readonly bytes: number;
}

/** The ledger beside a status file. `unnamed`: the file's name does not tell where it is. `otherRun`: it is about another file. */
export interface LedgerOf {
  readonly path: string | null;
  readonly found: "read" | "missing" | "unreadable" | "unnamed" | "otherRun";
  /** Of one that cannot be read: why. */
  readonly why: string;
  readonly badLines: readonly number[];
}

/** A status file of an earlier run that this one went on from. `why`: it could not be read; null: it was. */
export interface EarlierFile {
  readonly path: string;
  readonly why: string | null;
  readonly state: RunState;
}

/** What comparing with the list has shown. */
export interface ListCheck {
  readonly path: string;
  readonly tasks: number;
  readonly barriers: number;
  /** Ids whose row has another line, repeat index or command than the list. */
  readonly others: readonly IdRange[];
}

export interface AuditParts {
  readonly file: AuditedFile;
  readonly rows: FileRows;
  readonly ledger: LedgerOf;
  readonly section: LedgerSection | null;
  readonly state: RunState;
  readonly past: PastRuns;
  readonly earlier: readonly EarlierFile[];
  readonly list: ListCheck | null;
}

/** What is wrong with a file as such. */
export type Damage =
  /** Lines that are no rows, rows that contradict themselves, second rows of a task: so many. */
  | { readonly kind: "badLines" | "oddRows" | "secondRows"; readonly count: number }
  /** The last line was cut off after the run had ended. */
  | { readonly kind: "torn"; readonly at: number }
  /** The ledger counts other numbers of tasks that ended than the file has rows of. */
  | { readonly kind: "doneDiffers"; readonly ledger: number; readonly file: number }
  /** The file had another length when the run ended. */
  | { readonly kind: "lengthDiffers"; readonly ledger: number; readonly file: number }
  /** There are rows of ids that the list does not have. */
  | { readonly kind: "beyondList"; readonly highest: number }
  /** Rows that say that an earlier run had done the task, of which no earlier file has a row. */
  | { readonly kind: "skippedUnknown"; readonly count: number }
  /** Rows that are not of the list. */
  | { readonly kind: "otherTasks"; readonly count: number };

/** Something is not known to be complete, whole, or done once. */
export interface Verdict {
  readonly unfinished: boolean;
  readonly repeated: boolean;
  readonly damaged: boolean;
}

/** What can be said of a run from what is on disk. Lists are made when they are asked for: they may be as long as the list of tasks. */
export class Audit {
  readonly parts: AuditParts;
  readonly total: Total;
  readonly missingCount: number;
  readonly repeatedCount: number;
  readonly overlapCount: number;
  readonly askedCount: number;
  readonly damage: readonly Damage[];
  readonly #repeats: Repeats;

  constructor(parts: AuditParts) {
    this.parts = parts;
    const { rows, section, past, list } = parts;
    this.#repeats = new Repeats(rows, section, past);
    this.total = totalOf(list === null ? null : list.tasks + list.barriers, section, rows.table.highest);
    this.missingCount = countOf(this.missing());
    const repeats = { all: 0, overlapping: 0 };
    for (const { overlapSeconds } of this.repeated()) {
      repeats.all++;
      if (overlapSeconds > 0) repeats.overlapping++;
    }
    this.repeatedCount = repeats.all;
    this.overlapCount = repeats.overlapping;
    this.askedCount = lengthOf(this.runAgain());
    this.damage = [...this.#damage()];
  }

  get verdict(): Verdict {
    return {
      unfinished: this.missingCount > 0 || !this.isTotalKnown || !this.isOver || !this.hasLedger,
      repeated: this.repeatedCount > 0,
      damaged: this.damage.length > 0,
    };
  }

  /** Nothing more will be written. */
  get isOver(): boolean {
    return this.parts.state === "ended" || this.parts.state === "brokenOff";
  }

  get hasLedger(): boolean {
    return this.parts.ledger.found === "read";
  }

  get isTotalKnown(): boolean {
    return this.total.by !== "highest";
  }

  /** The ledger names every attempt that did not end by itself. */
  get namesAllBegun(): boolean {
    return (this.parts.section?.run?.version ?? 0) >= completeVersion;
  }

  /** Tasks without a row may have begun, and nothing tells which. */
  get hidesBegun(): boolean {
    return hidesBegun(this.parts.section, this.parts.state, this.namesAllBegun);
  }

  /** Ids of the list, of tasks or barriers, that have no final row. */
  missing(): Generator<IdRange> {
    return this.parts.rows.table.ranges(this.total.ids, (bits) => (bits & finalBits) === 0);
  }

  /** Tasks that ended well, in this run or, with `skipped`, in an earlier one. */
  succeeded(skipped: boolean): Generator<IdRange> {
    const which = skipped ? bit.skipped : bit.task;
    return this.#ranges((bits) => (bits & (which | bit.failed)) === which);
  }

  failed(skipped: boolean): Generator<IdRange> {
    const which = (skipped ? bit.skipped : bit.task) | bit.failed;
    return this.#ranges((bits) => (bits & which) === which);
  }

  barriers(): Generator<IdRange> {
    return this.#ranges((bits) => (bits & bit.barrier) !== 0);
  }

  final(id: number): FinalRow | null {
    return this.parts.rows.table.final(id);
  }

  repeated(): Generator<Repeat> {
    return this.#repeats.unasked();
  }

  runAgain(): Generator<number> {
    return this.#repeats.asked();
  }

  begunWithoutRow(): Generator<{ readonly id: number; readonly attempts: readonly BegunAttempt[] }> {
    return this.#repeats.begunWithoutRow();
  }

  /** Tasks of which attempts failed and were followed by others, or would have been, because that was asked for, in order of id. */
  *retried(): Generator<{ readonly id: number; readonly attempts: readonly RetriedAttempt[] }> {
    const { retried } = this.parts.section ?? {};
    for (const [id, attempts] of [...(retried ?? [])].toSorted(([a], [b]) => a - b)) yield { id, attempts };
  }

  get retriedCount(): number {
    return this.parts.section?.retried.size ?? 0;
  }

  /** Tasks that are marked as done by an earlier run of which no file of such a run has a row; empty if one could not be read. */
  *skippedUnknown(): Generator<number> {
    const { rows, past, earlier, section } = this.parts;
    if (section === null || earlier.some(({ why }) => why !== null)) return;
    for (const id of rows.table.ids((bits) => (bits & bit.skipped) !== 0)) if (!past.hasRow(id)) yield id;
  }

  /** Rows of tasks that have one already; `first`: the line of that one. */
  *secondRows(): Generator<{ readonly id: number; readonly at: number; readonly first: number }> {
    const { second } = this.parts.rows;
    for (let row = 0; row < second.length; row++) {
      yield { id: second.at(row, 0), at: second.at(row, 1), first: second.at(row, 2) };
    }
  }

  /** Rows that contradict themselves. */
  *oddRows(): Generator<{ readonly id: number; readonly at: number; readonly what: Contradiction }> {
    const { odd } = this.parts.rows;
    for (let row = 0; row < odd.length; row++) {
      const what = contradictions[odd.at(row, 2)];
      if (what !== undefined) yield { id: odd.at(row, 1), at: odd.at(row, 0), what };
    }
  }

  *#damage(): Generator<Damage> {
    const { rows, state, section, file, list } = this.parts;
    if (rows.badCount > 0) yield { kind: "badLines", count: rows.badCount };
    if (rows.torn !== null && state === "ended") yield { kind: "torn", at: rows.torn.at };
    if (rows.second.length > 0) yield { kind: "secondRows", count: rows.second.length };
    if (rows.odd.length > 0) yield { kind: "oddRows", count: rows.odd.length };
    const end = section?.end ?? null;
    const { tasks } = rows.counts;
    // A run whose rows could not be written any more has fewer: older drivers did not say how many.
    const mayHaveFewer = end?.reason === "broken";
    if (end !== null && end.done !== null && end.done !== tasks && !(mayHaveFewer && tasks < end.done)) {
      yield { kind: "doneDiffers", ledger: end.done, file: tasks };
    }
    if (end !== null && end.bytes !== null && end.bytes !== file.bytes) {
      yield { kind: "lengthDiffers", ledger: end.bytes, file: file.bytes };
    }
    if (this.isTotalKnown && rows.table.highest >= this.total.ids) {
      yield { kind: "beyondList", highest: rows.table.highest };
    }
    const unknown = lengthOf(this.skippedUnknown());
    if (unknown > 0) yield { kind: "skippedUnknown", count: unknown };
    const others = countOf(list?.others ?? []);
    if (others > 0) yield { kind: "otherTasks", count: others };
  }

  #ranges(wanted: (bits: number) => boolean): Generator<IdRange> {
    // What lies beyond the list is damage, and still listed.
    const end = Math.max(this.total.ids, this.parts.rows.table.highest + 1);
    return this.parts.rows.table.ranges(end, wanted);
  }
}

function lengthOf(items: Iterable<unknown>): number {
  let length = 0;
  for (const _ of items) length++;
  return length;
}
