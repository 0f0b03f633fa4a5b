import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { reasonOf, StatusFileError } from "./status-file.js";

/**
 * What the status file cannot tell: options, epochs, losses and retries of single tasks, the end. One line of JSON each, append-only,
 * and it does not grow with the finished tasks of a healthy run.
 */
export type LedgerEntry =
  | {
      readonly kind: "run";
      readonly version: 1;
      readonly runId: string;
      readonly at: string;
      readonly host: string;
      readonly pid: number;
      readonly cwd: string;
      readonly taskFile: string;
      readonly resumedFrom: readonly string[];
      readonly setAside: string | null;
    }
  | { readonly kind: "epoch"; readonly at: string; readonly token: number }
  | {
      readonly kind: "lostEngine";
      readonly at: string;
      readonly engine: string;
      readonly rank: number;
      readonly why: string;
      /** Tasks that it had claimed: they may have run. */
      readonly tasks: readonly { readonly id: number; readonly attempt: number }[];
    }
  | { readonly kind: "end"; readonly at: string; readonly reason: string; readonly done: number };

export class LedgerFile {
  readonly path: string;
  #fd: number | null;

  /** Opens for appending, private to the user. Throws `StatusFileError`. */
  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = openSync(path, "a", 0o600);
    } catch (cause) {
      throw new StatusFileError(`cannot write ${path}: ${reasonOf(cause)}`, { cause });
    }
  }

  /** On disk when it returns: entries are few, and what follows relies on them. Throws `StatusFileError`. */
  append(entry: LedgerEntry): void {
    if (this.#fd === null) return;
    try {
      writeSync(this.#fd, `${JSON.stringify(entry)}\n`);
      fdatasyncSync(this.#fd);
    } catch (cause) {
      throw new StatusFileError(`cannot write ${this.path}: ${reasonOf(cause)}`, { cause });
    }
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}
