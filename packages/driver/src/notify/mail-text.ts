import type { RunView } from "../core/run-view.js";
import { type StatusRow, formatRow } from "../core/status-line/index.js";
import type { Mail } from "./smtp-mailer.js";

const mostRows = 100;
const mostCharacters = 500;

/** Rows that wait to be mailed, the newest ones as text, so that a mail is never long. */
export class RowsToMail {
  #lines: readonly string[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(rows: readonly StatusRow[]): void {
    this.#count += rows.length;
    this.#lines = [...this.#lines, ...rows.slice(-mostRows).map(lineOf)].slice(-mostRows);
  }

  /** Those of a mail that was not accepted come back, before what came meanwhile. */
  putBack(earlier: RowsToMail): void {
    this.#count += earlier.#count;
    this.#lines = [...earlier.#lines, ...this.#lines].slice(-mostRows);
  }

  get text(): string {
    if (this.#count === 0) return "";
    const omitted = this.#count - this.#lines.length;
    const note =
      omitted === 0 ? "" : `(${omitted} before these are left out; the status file has them all)\n`;
    return `Last ${this.#count}:\n\n${note}${this.#lines.join("\n")}\n`;
  }
}

type Counts = Pick<RunView, "done" | "failed">;

/** As disBatch puts it. */
export function progressMail(jobId: string, counts: Counts, rows: RowsToMail): Mail {
  return { subject: `${jobId} has completed ${counted(counts)}`, text: rows.text };
}

/** `summary`: what a person is told at the end of the run. */
export function lastMail(jobId: string, counts: Counts, rows: RowsToMail, summary: readonly string[]): Mail {
  const text = [`${summary.join("\n")}\n`, rows.text].filter((part) => part !== "").join("\n");
  return { subject: `${jobId} has ended: ${counted(counts)}`, text };
}

function counted({ done, failed }: Counts): string {
  return `${done} tasks${failed === 0 ? "" : ` (${failed} failed)`}`;
}

function lineOf(row: StatusRow): string {
  const line = formatRow(row).toString().trimEnd();
  return line.length > mostCharacters ? `${line.slice(0, mostCharacters)}…` : line;
}
