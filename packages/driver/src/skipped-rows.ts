import { ByteWriter } from "@taskmuster/kvs/protocol";
import type { FoundRow } from "./core/resume-index.js";
import { type CopiedRows, flagSkipped } from "./core/status-line/index.js";
import type { ResumeFiles } from "./resume.js";
import type { RowReader } from "./row-reader.js";

/**
 * Copies the rows of tasks that are skipped, thousands at a time: there may be a million before anything can start, so nothing is made for
 * each, and what stands together is copied together.
 */
export class SkippedRows {
  readonly #files: ResumeFiles;
  readonly #take: (rows: CopiedRows) => void;
  #lines = newLines();
  /** Not in use. */
  readonly #spare: ByteWriter[] = [];
  /** What is copied next: `#bytes[#from..#to)`, whole lines. */
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;

  /** `take` is given the rows. */
  constructor(files: ResumeFiles, take: (rows: CopiedRows) => void) {
    this.#files = files;
    this.#take = take;
  }

  /** A promise only where the row has to be read. Rejects with `StatusFileError` when the file has changed since. */
  add(found: FoundRow): Promise<void> | null {
    const row = this.#files.find(found);
    if (row !== null) {
      this.#add(row, found);
      return null;
    }
    // What is read may take the place of what is not copied yet.
    this.#copy();
    return this.#files.read(found).then((read) => this.#add(read, found));
  }

  /** So much has been added that it is to be handed on. */
  get isMuch(): boolean {
    return this.#lines.length >= muchBytes;
  }

  /** Hands on what was added. */
  flush(): void {
    this.#copy();
    if (this.#lines.length === 0) return;
    const full = this.#lines;
    this.#lines = this.#spare.pop() ?? newLines();
    const release = (): void => {
      full.clear();
      this.#spare.push(full);
    };
    this.#take({ kind: "copied", lines: full.written, release });
  }

  #add({ bytes, from }: RowReader, { length }: FoundRow): void {
    flagSkipped(bytes, from);
    if (bytes !== this.#bytes || from !== this.#to || from - this.#from > mostPieceBytes) {
      this.#copy();
      this.#bytes = bytes;
      this.#from = from;
    }
    this.#to = from + length + 1;
  }

  #copy(): void {
    this.#lines.part(this.#bytes, this.#from, this.#to);
    this.#from = this.#to;
  }
}

function newLines(): ByteWriter {
  return new ByteWriter(muchBytes + 2 * mostPieceBytes);
}

const muchBytes = 512 * 1024;
const mostPieceBytes = 64 * 1024;
