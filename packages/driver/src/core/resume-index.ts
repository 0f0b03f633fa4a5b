import { Pages } from "./pages.js";

/**
 * What earlier runs recorded about each task id: enough to decide whether to skip it and whether it is the same task, and where
 * its row stands. Some 30 bytes a task, whatever the length of the commands.
 */
export class ResumeIndex {
  readonly #pages = new Pages(pageRows, newPage);
  #count = 0;

  /** Number of ids with a row. */
  get count(): number {
    return this.#count;
  }

  /** A success wins over any failure; else the row that finished last. `file`, `offset`, `length`: see `RowPlace`. */
  add(row: ScannedRow, file: number, offset: number, length: number): void {
    const page = this.#pages.of(row.id);
    const at = row.id % pageRows;
    if (page.file[at] !== noFile) {
      const oldFailed = page.returnCode[at] !== 0;
      const newFailed = row.returnCode !== 0;
      if (newFailed && !oldFailed) return;
      if (newFailed === oldFailed && row.finish < (page.finish[at] ?? 0)) return;
    } else this.#count++;
    page.file[at] = file;
    page.returnCode[at] = row.returnCode;
    page.identity[at] = row.identity;
    page.finish[at] = row.finish;
    page.offset[at] = offset;
    page.length[at] = length;
  }

  /** Null: no row of this id. */
  find(id: number): FoundRow | null {
    const page = this.#pages.find(id);
    const at = id % pageRows;
    const file = page?.file[at] ?? noFile;
    if (page === undefined || file === noFile) return null;
    return {
      id,
      file,
      offset: page.offset[at] ?? 0,
      length: page.length[at] ?? 0,
      returnCode: page.returnCode[at] ?? 0,
      identity: page.identity[at] ?? 0,
    };
  }
}

interface Page {
  readonly file: Int16Array;
  readonly returnCode: Int32Array;
  readonly identity: Uint32Array;
  readonly finish: Float64Array;
  readonly offset: Float64Array;
  readonly length: Uint32Array;
}

/** Where a row stands: in which of the files given, and the bytes of its line without the line end. */
export interface RowPlace {
  readonly file: number;
  readonly offset: number;
  readonly length: number;
}

export interface FoundRow extends RowPlace {
  readonly id: number;
  readonly returnCode: number;
  /** See `identityOf`. */
  readonly identity: number;
}

export interface ScannedRow {
  readonly id: number;
  readonly returnCode: number;
  /** Seconds since 1970. */
  readonly finish: number;
  /** See `identityOf`. */
  readonly identity: number;
}

const pageRows = 1 << 16;
const noFile = -1;

function newPage(): Page {
  return {
    file: new Int16Array(pageRows).fill(noFile),
    returnCode: new Int32Array(pageRows),
    identity: new Uint32Array(pageRows),
    finish: new Float64Array(pageRows),
    offset: new Float64Array(pageRows),
    length: new Uint32Array(pageRows),
  };
}
