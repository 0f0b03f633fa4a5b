/**
 * What earlier runs recorded about each task id: enough to decide whether to skip it and whether it is the same task, and where
 * its row stands. Some 30 bytes a task, whatever the length of the commands.
 */
export class ResumeIndex {
  /** Sparse: one row with a wild id must not cost the memory of all ids before it. */
  readonly #pages = new Map<number, Page>();
  #count = 0;

  /** Number of ids with a row. */
  get count(): number {
    return this.#count;
  }

  /** A success wins over any failure; else the row that finished last. */
  add(row: ScannedRow, place: RowPlace): void {
    const page = this.#page(row.id);
    const at = row.id % pageRows;
    if (page.file[at] !== noFile) {
      const oldFailed = page.returnCode[at] !== 0;
      const newFailed = row.returnCode !== 0;
      if (newFailed && !oldFailed) return;
      if (newFailed === oldFailed && row.finish < (page.finish[at] ?? 0)) return;
    } else this.#count++;
    page.file[at] = place.file;
    page.returnCode[at] = row.returnCode;
    page.identity[at] = row.identity;
    page.finish[at] = row.finish;
    page.offset[at] = place.offset;
    page.length[at] = place.length;
  }

  /** Null: no row of this id. */
  find(id: number): (RowPlace & { readonly returnCode: number; readonly identity: number }) | null {
    const page = this.#pages.get(Math.floor(id / pageRows));
    const at = id % pageRows;
    const file = page?.file[at] ?? noFile;
    if (page === undefined || file === noFile) return null;
    return {
      file,
      offset: page.offset[at] ?? 0,
      length: page.length[at] ?? 0,
      returnCode: page.returnCode[at] ?? 0,
      identity: page.identity[at] ?? 0,
    };
  }

  #page(id: number): Page {
    const index = Math.floor(id / pageRows);
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = {
        file: new Int16Array(pageRows).fill(noFile),
        returnCode: new Int32Array(pageRows),
        identity: new Uint32Array(pageRows),
        finish: new Float64Array(pageRows),
        offset: new Float64Array(pageRows),
        length: new Uint32Array(pageRows),
      };
      this.#pages.set(index, page);
    }
    return page;
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

export interface ScannedRow {
  readonly id: number;
  readonly returnCode: number;
  /** Seconds since 1970. */
  readonly finish: number;
  /** See `identityOf`. */
  readonly identity: number;
}

export type ScannedLine =
  { readonly kind: "row"; readonly row: ScannedRow } | { readonly kind: "other" | "bad" };

/**
 * Reads of one line of a status file only what a resume needs; what it takes for a row `parseRow` does too. `other`: a row that does
 * not count (barriers, PERENGINE, late rows, the header); `bad`: not a line of a status file.
 */
export function scanLine(line: Uint8Array): ScannedLine {
  let commandAt = 0;
  for (let column = 1; column < columns; column++) {
    commandAt = line.indexOf(tab, commandAt) + 1;
    if (commandAt === 0) return bad;
  }
  const before = latin1.decode(line.subarray(0, commandAt));
  if (before.startsWith("ROE[")) return other;
  const found = beforeCommand.exec(before);
  if (found === null) return bad;
  const [, flag, id, lineNumber, repeat, returnCode, finish] = found;
  if (Number(id) > mostId) return bad;
  if (flag === undefined || flag === "P" || flag === "Z") return other;
  const identity = identityOf(Number(lineNumber), Number(repeat), line.subarray(commandAt));
  return {
    kind: "row",
    row: { id: Number(id), returnCode: Number(returnCode), finish: Number(finish), identity },
  };
}

/**
 * 32 bits that differ, but for one chance in 4,000,000,000, when line number, repeat index or command differ. `commandColumn`: the
 * command as the status file shows it. FNV-1a (Fowler, Noll, Vo).
 */
export function identityOf(line: number, repeatIndex: number, commandColumn: Uint8Array): number {
  let hash = 0x811c9dc5;
  hash = Math.imul(hash ^ line, prime);
  hash = Math.imul(hash ^ repeatIndex, prime);
  for (let index = 0; index < commandColumn.length; index++) {
    hash = Math.imul(hash ^ (commandColumn[index] ?? 0), prime);
  }
  return hash >>> 0;
}

const prime = 0x01000193;
const tab = 9;
const columns = 15;
/** Any bytes will do where no digits are wanted: nothing that is not ASCII is looked at. */
const latin1 = new TextDecoder("latin1");
/** Flags, TaskID, LineNum, RepeatIndex, Node, PID, ReturnCode, Elapsed, Start, Finish, and twice bytes and snippet. */
const beforeCommand =
  /^(?:[R ][O ][E ]([ PSZ])|[BC] {4})\t(\d{1,15})\t(\d{1,15})\t(-?\d{1,15})\t[^\t]*\t-?\d{1,15}\t(-?\d{1,9})\t(?:-?\d{1,15}\.\d{3}\t){2}(-?\d{1,15}\.\d{3})\t(?:\d{1,15}\t(?:'[^\t]*'|"[^\t]*")\t){2}$/;
const pageRows = 1 << 16;
const noFile = -1;
/** An id above this is not one that any list here has reached. */
const mostId = 1_000_000_000;
const bad: ScannedLine = { kind: "bad" };
const other: ScannedLine = { kind: "other" };
