import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { openPrivateFile } from "@taskmuster/kvs";
import { parseLedger } from "./core/audit/ledger.js";
import type { LedgerEntry } from "./core/ledger-entry.js";
import { reasonOf, StatusFileError } from "./status-file.js";

export type { LedgerEntry } from "./core/ledger-entry.js";

export interface LedgerEvents {
  /** Entries cannot be written now; they are kept, and written later. Not told again before `onFree`. */
  onStuck(error: StatusFileError): void;
  onFree(): void;
}

/** Appends to a ledger. What cannot be written now is written later: no run ends for it. */
export class LedgerFile {
  readonly path: string;
  #fd: number | null;
  /** Entries that are not on disk. */
  #waiting = "";
  /** Behind `from`, up to `to` at most, may stand half an entry; null: there is none. */
  #torn: { readonly from: number; readonly to: number } | null = null;
  #stuck = false;
  #retry: NodeJS.Timeout | null = null;
  #events: LedgerEvents = { onStuck: () => undefined, onFree: () => undefined };

  /** Opens for appending, private to the user. Half an entry that a crash has left goes. Throws `StatusFileError`. */
  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = openPrivateFile(path);
      const { size } = fstatSync(this.#fd);
      if (size > 0) this.#torn = { from: wholeBytes(path, size), to: size };
    } catch (cause) {
      throw this.#error(cause);
    }
  }

  /** Whom to tell from now on. */
  watch(events: LedgerEvents): void {
    this.#events = events;
  }

  /** What a run does not begin without: on disk when it returns. Throws `StatusFileError`. */
  begin(...entries: readonly LedgerEntry[]): void {
    this.#waiting += textOf(entries);
    try {
      this.#write();
    } catch (cause) {
      this.#waiting = "";
      throw this.#error(cause);
    }
  }

  /** On disk when it returns, or as soon as they can be: entries are few, and what follows relies on them. */
  append(...entries: readonly LedgerEntry[]): void {
    if (this.#fd === null) return;
    this.#waiting += textOf(entries);
    // It is tried again soon.
    if (this.#retry === null) this.#try();
  }

  /** Tries a last time. What cannot be written even then is lost; answers whether that is so. */
  close(): boolean {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    if (this.#fd === null) return false;
    if (this.#waiting !== "") this.#try();
    if (this.#retry !== null) clearTimeout(this.#retry);
    closeSync(this.#fd);
    this.#fd = null;
    return this.#waiting !== "";
  }

  /** Whether a driver of this host with this number was the last one to begin, as far as it can be read. */
  isOf(pid: number): boolean {
    try {
      const driver = parseLedger(readFileSync(this.path, "utf8")).sections.at(-1)?.drivers.at(-1) ?? null;
      return driver === null || (driver.host === hostname() && driver.pid === pid);
    } catch {
      return true;
    }
  }

  #try(): void {
    try {
      this.#write();
    } catch (cause) {
      this.#retry = setTimeout(() => {
        this.#retry = null;
        this.#try();
      }, retryMs).unref();
      if (this.#stuck) return;
      this.#stuck = true;
      this.#events.onStuck(this.#error(cause));
      return;
    }
    if (!this.#stuck) return;
    this.#stuck = false;
    this.#events.onFree();
  }

  /** After a failure from the last whole entry on: a second sync alone would say that all is well. */
  #write(): void {
    if (this.#fd === null || this.#waiting === "") return;
    const { size } = fstatSync(this.#fd);
    // Longer: another driver has taken the run over, and goes on with it.
    let from = size;
    if (this.#torn !== null && size > this.#torn.from && size <= this.#torn.to) {
      ({ from } = this.#torn);
      ftruncateSync(this.#fd, from);
    }
    const bytes = Buffer.from(this.#waiting);
    this.#torn = { from, to: from + bytes.length };
    for (let written = 0; written < bytes.length;) written += writeSync(this.#fd, bytes, written);
    fdatasyncSync(this.#fd);
    this.#waiting = "";
    this.#torn = null;
  }

  #error(cause: unknown): StatusFileError {
    return new StatusFileError(`cannot write ${this.path}: ${reasonOf(cause)}`, { cause });
  }
}

function textOf(entries: readonly LedgerEntry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
}

/** Up to the end of the last line that has one; a crash may leave half a line behind it, or zero bytes. */
function wholeBytes(path: string, size: number): number {
  const fd = openSync(path, "r");
  try {
    const block = Buffer.alloc(4096);
    for (let end = size; end > 0;) {
      const from = Math.max(0, end - block.length);
      const bytes = readSync(fd, block, 0, end - from, from);
      const at = block.subarray(0, bytes).lastIndexOf(newline);
      if (at !== -1) return from + at + 1;
      end = from;
    }
    return 0;
  } finally {
    closeSync(fd);
  }
}

const newline = 10;
const retryMs = 2_000;
