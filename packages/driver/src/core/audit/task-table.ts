import { Pages } from "../pages.js";

/** What is known of one task id, in bits. */
export const bit = {
  task: 1 << 0,
  skipped: 1 << 1,
  barrier: 1 << 2,
  /** Of the final row. */
  failed: 1 << 3,
  /** The final row is of a task that had no shell: it could not be started, or nobody saw its end. */
  noShell: 1 << 4,
  /** Nobody saw its end (code -100). */
  givenUp: 1 << 5,
  /** There is a late row of an attempt that was given up before. */
  late: 1 << 6,
  /** The ledger names an attempt that did not end by itself. */
  begun: 1 << 7,
  /** Something is known of it from an earlier run. */
  past: 1 << 8,
  /** The final row is of a task that was stopped when it had run for as long as it may. */
  timedOut: 1 << 9,
} as const;

/** Any of the rows of which a task has exactly one. */
export const finalBits = bit.task | bit.skipped | bit.barrier;

/** From the first to the last id, both included. */
export type IdRange = readonly [first: number, last: number];

export interface FinalRow {
  /** In the status file, from 1. */
  readonly at: number;
  /** In the list. */
  readonly line: number;
  readonly returnCode: number;
  readonly timedOut: boolean;
  /** Seconds since 1970. */
  readonly start: number;
  readonly finish: number;
  readonly identity: number;
}

/** What is known of each task: 26 to 34 bytes an id, in pages, as a single wild id must not cost the memory of all before it. */
export class TaskTable {
  readonly #pages = new Pages(pageIds, newPage);
  #highest = -1;

  /** The highest id that has a row; -1: there is none. */
  get highest(): number {
    return this.#highest;
  }

  bitsOf(id: number): number {
    return this.#pages.find(id)?.bits[id % pageIds] ?? 0;
  }

  mark(id: number, bits: number): void {
    const page = this.#pages.of(id);
    page.bits[id % pageIds] = (page.bits[id % pageIds] ?? 0) | bits;
  }

  /** One more late row of it. */
  addLate(id: number): void {
    this.mark(id, bit.late);
    const page = this.#pages.of(id);
    const counts = (page.late ??= new Uint8Array(pageIds));
    counts[id % pageIds] = Math.min(255, (counts[id % pageIds] ?? 0) + 1);
    this.#highest = Math.max(this.#highest, id);
  }

  /** Number of late rows of it, 255 where there are more. */
  lateRows(id: number): number {
    return this.#pages.find(id)?.late?.[id % pageIds] ?? 0;
  }

  /** False when the id has one already, which then stays. */
  setFinal(id: number, bits: number, row: Omit<FinalRow, "at" | "timedOut">, lineNumber: number): boolean {
    const page = this.#pages.of(id);
    const at = id % pageIds;
    const before = page.bits[at] ?? 0;
    if ((before & finalBits) !== 0) return false;
    page.bits[at] = before | bits;
    page.at[at] = lineNumber;
    page.line[at] = row.line;
    if (row.returnCode !== 0) (page.returnCode ??= new Int32Array(pageIds))[at] = row.returnCode;
    page.start[at] = row.start;
    page.finish[at] = row.finish;
    if (row.identity !== 0) (page.identity ??= new Uint32Array(pageIds))[at] = row.identity;
    this.#highest = Math.max(this.#highest, id);
    return true;
  }

  final(id: number): FinalRow | null {
    const page = this.#pages.find(id);
    const at = id % pageIds;
    if (page === undefined || ((page.bits[at] ?? 0) & finalBits) === 0) return null;
    return {
      at: page.at[at] ?? 0,
      line: page.line[at] ?? 0,
      returnCode: page.returnCode?.[at] ?? 0,
      timedOut: ((page.bits[at] ?? 0) & bit.timedOut) !== 0,
      start: page.start[at] ?? 0,
      finish: page.finish[at] ?? 0,
      identity: page.identity?.[at] ?? 0,
    };
  }

  /** Ids of which `wanted` says so, in order; only those of which anything is known. */
  *ids(wanted: (bits: number) => boolean): Generator<number> {
    for (const [first, { bits }] of this.#pages) {
      for (let at = 0; at < bits.length; at++) {
        if (wanted(bits[at] ?? 0)) yield first + at;
      }
    }
  }

  /** Ids from 0 up to but without `end` of which `wanted` says so, those of which nothing is known (0) too. */
  *ranges(end: number, wanted: (bits: number) => boolean): Generator<IdRange> {
    const ofNothing = wanted(0);
    let first = -1;
    for (let base = 0; base < end; base += pageIds) {
      const bits = this.#pages.find(base)?.bits;
      const count = Math.min(pageIds, end - base);
      if (bits === undefined) {
        if (ofNothing && first === -1) first = base;
        if (!ofNothing && first !== -1) yield [first, base - 1];
        if (!ofNothing) first = -1;
        continue;
      }
      for (let at = 0; at < count; at++) {
        const isWanted = wanted(bits[at] ?? 0);
        if (isWanted && first === -1) first = base + at;
        else if (!isWanted && first !== -1) {
          yield [first, base + at - 1];
          first = -1;
        }
      }
    }
    if (first !== -1) yield [first, end - 1];
  }
}

interface Page {
  readonly bits: Uint16Array;
  readonly at: Uint32Array;
  readonly line: Uint32Array;
  /** Null: all 0. */
  returnCode: Int32Array | null;
  readonly start: Float64Array;
  readonly finish: Float64Array;
  identity: Uint32Array | null;
  late: Uint8Array | null;
}

const pageIds = 1 << 12;

/** How many ids there are in ranges. */
export function countOf(ranges: Iterable<IdRange>): number {
  let count = 0;
  for (const [first, last] of ranges) count += last - first + 1;
  return count;
}

function newPage(): Page {
  return {
    bits: new Uint16Array(pageIds),
    at: new Uint32Array(pageIds),
    line: new Uint32Array(pageIds),
    returnCode: null,
    start: new Float64Array(pageIds),
    finish: new Float64Array(pageIds),
    identity: null,
    late: null,
  };
}
