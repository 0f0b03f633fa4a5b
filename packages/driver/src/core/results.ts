import { PastRows } from "./past-rows.js";
import { barrierRow } from "./run-rows.js";
import type { CopiedRows, StatusRow } from "./status-line/index.js";
import { Tally } from "./tally.js";
import { TaskBits } from "./task-bits.js";
import type { BarrierItem } from "./task-file/index.js";

/** What has ended: one bit a task, the rows that are to be written, and the counts. A task or barrier gets one final row. */
export class Results {
  readonly #driver: { readonly node: string; readonly pid: number };
  readonly #ended = new TaskBits();
  readonly #tally = new Tally();
  readonly #past = new PastRows();
  #rows: (StatusRow | CopiedRows)[] = [];

  /** `driver`: for barrier rows, which are its own. */
  constructor(driver: { readonly node: string; readonly pid: number }) {
    this.#driver = driver;
  }

  /** Tasks and barriers that have ended. */
  get count(): number {
    return this.#ended.count;
  }

  get counts(): Tally["view"] {
    return this.#tally.view;
  }

  has(id: number): boolean {
    return this.#ended.has(id);
  }

  takeRows(): readonly (StatusRow | CopiedRows)[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  /** False: the task has its final row already. */
  end(row: StatusRow, lastWords: Uint8Array): boolean {
    if (!this.#ended.add(row.id)) return false;
    this.#rows.push(row);
    this.#tally.ended(row, lastWords);
    return true;
  }

  /** An attempt that is not the task's result. */
  late(row: StatusRow): void {
    if (!this.#past.has(row)) this.#rows.push(row);
  }

  /** False: a driver before this one has written it. */
  perEngine(row: StatusRow, lastWords: Uint8Array): boolean {
    if (this.#past.has(row)) return false;
    this.#rows.push(row);
    this.#tally.perEngine(row, lastWords);
    return true;
  }

  /** A task that an earlier run has done; its row comes with `copied`. */
  skipped(id: number, returnCode: number): void {
    this.#ended.add(id);
    this.#tally.skipped(returnCode);
  }

  /** Of an earlier run, to stand in this run's file too. */
  copied(rows: CopiedRows): void {
    this.#rows.push(rows);
  }

  /** It was reached and passed; both in ms. */
  barrier(item: BarrierItem, reachedAt: number, now: number): void {
    this.#ended.add(item.id);
    this.#rows.push(barrierRow(item, this.#driver, reachedAt, now));
  }

  /** One attempt at a task was lost with its engine. */
  lostOnce(): void {
    this.#tally.lostOnce();
  }

  /** One attempt at a task failed, and it is run again. */
  retriedOnce(): void {
    this.#tally.retriedOnce();
  }

  /**
   * A row that a driver before this one has written. `givenUp`: late reports of this task may come. False: it tells of no end, or of one that
   * is known.
   */
  addPast(row: StatusRow, givenUp: boolean): boolean {
    if (givenUp || row.kind === "perEngine" || row.kind === "zombie") this.#past.add(row);
    if (row.kind === "zombie") return false;
    if (row.kind === "perEngine") {
      this.#tally.perEngine(row, noWords);
      return true;
    }
    if (!this.#ended.add(row.id)) return false;
    if (row.kind === "skipped") this.#tally.skipped(row.returnCode);
    else if (row.kind !== "barrier" && row.kind !== "checkBarrier") this.#tally.ended(row, noWords);
    return true;
  }
}

const noWords = new Uint8Array(0);
