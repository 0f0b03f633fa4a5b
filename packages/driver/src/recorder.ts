import { ByteWriter } from "@taskmuster/kvs/protocol";
import type { DriverCore } from "./core/driver-core.js";
import { type StatusRow, statusRows, writeRow } from "./core/status-line/index.js";
import { idsOfRows } from "./core/unrecorded.js";
import type { Patience } from "./patience.js";
import type { ResultSink } from "./result-sink.js";
import type { StatusFile } from "./status-file.js";

/**
 * Brings the core's rows to disk, tells the sinks, and acknowledges the reports that they came from, in this order. What comes while it
 * is at work goes together the next time, so that a slow disk gets fewer and larger pieces.
 */
export class Recorder {
  readonly #core: DriverCore;
  readonly #statusFile: StatusFile;
  readonly #patience: Patience;
  readonly #sinks: readonly ResultSink[];
  readonly #acknowledge: (upTo: number) => Promise<void>;
  /** Rows that are to be written next, as the file shows them; and as they are, for the sinks. */
  #lines = new ByteWriter(usualBytes);
  #otherLines = new ByteWriter(usualBytes);
  #rows: StatusRow[] = [];
  /** There are rows among the lines that stand nowhere else. */
  #precious = false;
  #received = 0;
  #acknowledged = 0;
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  /** `acknowledge`: tells the store that all reports before this position are on disk. */
  constructor(parts: {
    readonly core: DriverCore;
    readonly statusFile: StatusFile;
    readonly patience: Patience;
    readonly sinks: readonly ResultSink[];
    readonly acknowledge: (upTo: number) => Promise<void>;
  }) {
    this.#core = parts.core;
    this.#statusFile = parts.statusFile;
    this.#patience = parts.patience;
    this.#sinks = parts.sinks;
    this.#acknowledge = parts.acknowledge;
  }

  /**
   * Resolves when all rows that the core has by now are on disk, and all reports before position `received` are acknowledged: the core
   * must have taken them. After a failure this and every later call rejects.
   */
  record(received = this.#received): Promise<void> {
    this.#take();
    this.#received = received;
    const isDone = this.#lines.length === 0 && received === this.#acknowledged;
    if (isDone && this.#next === null) return this.#last;
    if (this.#next === null) {
      this.#next = this.#last.then(() => {
        this.#next = null;
        return this.#record();
      });
      this.#last = this.#next;
    }
    return this.#next;
  }

  /** The same, and nothing is left that the disk may still lose. */
  async finish(): Promise<void> {
    await this.record();
    await this.#patience.insist(() => this.#statusFile.flush());
  }

  /** Ids of tasks that ended and whose rows are not on disk. To be asked when that has failed for good. */
  unrecorded(): readonly number[] {
    this.#take();
    return [...idsOfRows(this.#otherLines.written), ...idsOfRows(this.#lines.written)];
  }

  /** Bytes that wait for the disk. */
  get waiting(): number {
    return this.#lines.length + this.#otherLines.length;
  }

  /** At once: rows that wait for the disk as objects cost more than as bytes. */
  #take(): void {
    const rows = this.#core.takeRows();
    for (const row of rows) {
      if (row.kind === "copied") this.#lines.bytes(row.lines);
      else {
        writeRow(this.#lines, row);
        this.#precious = true;
      }
    }
    if (this.#sinks.length > 0) for (const row of statusRows(rows)) this.#rows.push(row);
    else for (const row of rows) if (row.kind === "copied") row.release();
  }

  async #record(): Promise<void> {
    const lines = this.#lines;
    const rows = this.#rows;
    const upTo = this.#received;
    // What comes meanwhile goes where the lines were that have been written before.
    this.#lines = this.#otherLines;
    this.#otherLines = lines;
    this.#rows = [];
    const sync = this.#precious || upTo !== this.#acknowledged;
    this.#precious = false;
    if (lines.length > 0) {
      await this.#patience.insist(() => this.#statusFile.append(lines.written, { sync }));
    }
    lines.clear();
    if (rows.length > 0) for (const sink of this.#sinks) await sink.publish(rows);
    if (upTo === this.#acknowledged) return;
    await this.#acknowledge(upTo);
    this.#acknowledged = upTo;
  }
}

const usualBytes = 64 * 1024;
