import { type Report, type Outcome } from "@taskmuster/kvs/protocol";
import { parseLedger } from "../../../packages/driver/src/core/audit/ledger.js";
import type { StatusRow } from "../../../packages/driver/src/core/status-line/index.js";
import { returnCodeOf } from "../../../packages/driver/src/core/status-line/report-row.js";
import { FinalRows, RunningTasks, isEnd } from "../../scenarios/invariants.js";
import { Limits } from "./limits.js";

/** A fact that must not be. The names are those of docs/architecture.md. */
export class Violation extends Error {
  override readonly name = "Violation";

  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`);
  }
}

/** A run's files as they would be after a power cut. */
export interface SafeFiles {
  readonly status: Buffer;
  /** Null: it could not be written at some time, and its entries may wait; no run stops for that. */
  readonly ledger: Buffer | null;
}

export interface Place {
  /** One engine process. */
  readonly engine: string;
  /** As the store knows it. */
  readonly id: string;
  readonly slots: number;
  readonly context: string;
}

/**
 * What really happens, whoever knows of it: which tasks run where, how they ended, what stands on the disk. Throws a `Violation` as soon
 * as something happens that must not.
 */
export class Truth {
  readonly #running = new RunningTasks();
  readonly #barriers: readonly number[];
  /** Return codes of the ends that were a task's own doing. */
  readonly #ends = new Map<number, Set<number>>();
  readonly #limits = new Limits();
  #rows = new FinalRows();
  /** Whose they are. */
  #driver = 0;
  #violation: Violation | null = null;

  /** `barriers`: their ids. */
  constructor(barriers: readonly number[]) {
    this.#barriers = barriers;
  }

  /** The first one, whoever has caught it. */
  get violation(): Violation | null {
    return this.#violation;
  }

  /** Throws it. */
  fail(invariant: string, what: string): never {
    const violation = new Violation(invariant, what);
    this.#violation ??= violation;
    throw violation;
  }

  /** A status file is a driver's own from now on, with these rows. Answers as what it is known here. */
  newDriver(rows: readonly StatusRow[]): number {
    this.#rows = new FinalRows();
    this.#check("I1, I4", () => {
      for (const row of rows) this.#rows.onRow(row);
    });
    return ++this.#driver;
  }

  /** This context may run so many tasks, each attempt counted. */
  limit(context: string, tasks: number): void {
    this.#limits.set(context, tasks);
  }

  /** Nobody told the store that there is a limit before engines claimed: none is promised then. */
  unlimit(context: string): void {
    this.#limits.drop(context);
  }

  onStoreReplaced(): void {
    this.#limits.onForgotten();
  }

  /** An engine has told a store that had forgotten what it has claimed. */
  onAnnounced(id: string): void {
    this.#limits.onAnnounced(id);
  }

  onLaunch({ engine, id: engineId, slots, context }: Place, id: number): void {
    this.#check("I2, I5", () => this.#running.onLaunch(engine, slots, id));
    this.#limits.onLaunch(context, engineId);
    const left = this.#limits.left(context);
    if (left !== null && left < 0)
      this.fail("I5", `${context} starts a task, and has started ${-left} more than it may`);
    if (this.#rows.has(id)) this.fail("I1", `task ${id} starts although it has its final row`);
    const barrier = this.#barriers.findLast((each) => each < id);
    if (barrier !== undefined) this.#checkBarrier(id, barrier);
  }

  /** The store holds no claim of this context, and lets it make so many more. `hasForgotten`: then that may be too few. */
  onCredit(context: string, credit: number, hasForgotten: boolean): void {
    const left = this.#limits.left(context);
    if (left !== null && (hasForgotten ? credit > left : credit !== left))
      this.fail("I5", `${context} may start ${left} tasks more, and the store lets it claim ${credit}`);
  }

  /** `natural`: nobody of us stopped it, nor did a scheduler. */
  onEnd({ engine }: Place, id: number, outcome: Outcome, natural: boolean): void {
    this.#check("I2", () => this.#running.onEnd(engine, id));
    if (!natural) return;
    const codes = this.#ends.get(id) ?? new Set<number>();
    this.#ends.set(id, codes.add(returnCodeOf(outcome)));
  }

  /** Its machine is gone, and so is all that ran there. */
  onCrash(engine: string): void {
    this.#running.onDeath(engine);
  }

  get anythingRuns(): boolean {
    return this.#running.before(Infinity) !== null;
  }

  /** A driver has decided. What one decides that was replaced is nowhere to be read. */
  onRow(driver: number, row: StatusRow): void {
    if (driver !== this.#driver) return;
    this.#check("I1, I4", () => this.#rows.onRow(row));
    if (row.kind !== "task") return;
    const where = this.#running.where(row.id);
    if (where !== null) this.fail("I1", `task ${row.id} has its final row and runs on ${where}`);
    if (row.returnCode !== lost && this.#ends.get(row.id)?.has(row.returnCode) !== true)
      this.fail("I7", `task ${row.id} never ended with ${row.returnCode} by itself`);
  }

  /** The store drops a report. */
  onDropped(report: Report, safe: SafeFiles): void {
    if (!isEnd(report)) return;
    const flags = String.raw`(?:[R ][O ][E ][ SZ])`;
    if (new RegExp(`^${flags}\t${report.id}\t.*\n`, "m").test(safe.status.toString("latin1"))) return;
    // A failure that is not the last has no row.
    if (safe.ledger === null) return;
    const retried = parseLedger(safe.ledger.toString()).sections.at(-1)?.retried.get(report.id) ?? [];
    if (!retried.some(({ attempt }) => attempt === report.attempt))
      this.fail("I3", `the end of task ${report.id} is acknowledged and not on disk`);
  }

  #check(invariant: string, what: () => void): void {
    try {
      what();
    } catch (error) {
      this.fail(invariant, error instanceof Error ? error.message : String(error));
    }
  }

  #checkBarrier(id: number, barrier: number): void {
    const running = this.#running.before(barrier);
    if (running !== null)
      this.fail("I4", `task ${id} starts, and task ${running} before barrier ${barrier} still runs`);
    for (let before = 0; before < barrier; before++) {
      if (this.#barriers.includes(before) || this.#ends.has(before) || this.#rows.has(before)) continue;
      this.fail("I4", `task ${id} starts, and task ${before} before barrier ${barrier} has not ended`);
    }
  }
}

const lost = -100;
