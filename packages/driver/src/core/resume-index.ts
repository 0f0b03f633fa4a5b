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
  find(id: number): FoundRow | null {
    const page = this.#pages.get(Math.floor(id / pageRows));
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

export type ScannedLine =
  { readonly kind: "row"; readonly row: ScannedRow } | { readonly kind: "other" | "bad" };

/**
 * Reads of one line of a status file only what a resume needs; what it takes for a row `parseRow` does too. `other`: a row that does
 * not count (barriers, PERENGINE, late rows, the header); `bad`: not a line of a status file. The line is `bytes[from..end)`; a million
 * of them are read before a run starts, so this goes through each once, byte by byte.
 */
export function scanLine(bytes: Uint8Array, from = 0, end = bytes.length): ScannedLine {
  const reader = new ColumnReader(bytes, from, end);
  const flag = reader.flags();
  const id = reader.integer(idDigits, false);
  const line = reader.integer(idDigits, false);
  const repeatIndex = reader.integer(idDigits, true);
  reader.anything();
  reader.integer(idDigits, true);
  const returnCode = reader.integer(codeDigits, true);
  reader.seconds();
  reader.seconds();
  const finish = reader.seconds();
  for (let stream = 0; stream < 2; stream++) {
    reader.integer(idDigits, false);
    reader.snippet();
  }
  if (reader.failed) return isHeader(bytes, from, end) ? other : bad;
  if (id > mostId) return bad;
  if (flag === flagBarrier || flag === letterP || flag === letterZ) return other;
  let identity = identityStart(line, repeatIndex);
  for (let at = reader.at; at < end; at++) identity = Math.imul(identity ^ (bytes[at] ?? 0), prime);
  return { kind: "row", row: { id, returnCode, finish, identity: identity >>> 0 } };
}

/**
 * Whether zero bytes stand where something else was written: a crash of the host may leave them in what was not synced, also across lines.
 * A command that has one of its own cannot be started (code 200).
 */
export function hasHole(line: Uint8Array, returnCode: number): boolean {
  return returnCode !== zeroInCommandCode && line.includes(0);
}

/** Whether a file that ends so may have been cut off there, or never written from there on: a row begins, or only zero bytes follow. */
export function isTornRow(bytes: Uint8Array): boolean {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return tornRow.test(latin1.decode(bytes.subarray(0, Math.min(end, 32))));
}

/** Whether the row of a task that begins at `from` has this id. */
export function hasId(bytes: Uint8Array, from: number, id: number): boolean {
  let at = from + flagsAndTab;
  let value = 0;
  for (; at < bytes.length && bytes[at] !== tab; at++) value = 10 * value + ((bytes[at] ?? 0) - zero);
  return value === id && bytes[at] === tab;
}

/** Fifteen columns, of which the first says that it is one. */
function isHeader(bytes: Uint8Array, from: number, end: number): boolean {
  let tabs = 0;
  for (let at = from; at < end; at++) if (bytes[at] === tab) tabs++;
  return tabs >= columns - 1 && latin1.decode(bytes.subarray(from, from + 4)) === "ROE[";
}

/** One column after the other, with the tab that ends it. After the first that is not as it should be the rest means nothing. */
class ColumnReader {
  at: number;
  failed = false;
  readonly #bytes: Uint8Array;
  readonly #end: number;

  constructor(bytes: Uint8Array, from: number, end: number) {
    this.#bytes = bytes;
    this.at = from;
    this.#end = end;
  }

  /** The fourth one of a task's row; `flagBarrier` for that of a barrier. */
  flags(): number {
    const [first, second, third] = [this.#take(), this.#take(), this.#take()];
    const fourth = this.#take();
    if ((first === letterB || first === letterC) && second === blank && third === blank && fourth === blank) {
      // Theirs has a character more.
      if (this.#take() !== blank) this.failed = true;
      this.#tab();
      return flagBarrier;
    }
    const known =
      (first === letterR || first === blank) &&
      (second === letterO || second === blank) &&
      (third === letterE || third === blank) &&
      (fourth === blank ||
        fourth === letterT ||
        fourth === letterP ||
        fourth === letterS ||
        fourth === letterZ);
    if (!known) this.failed = true;
    this.#tab();
    return fourth;
  }

  integer(mostDigits: number, mayBeNegative: boolean): number {
    const value = this.#digits(mostDigits, mayBeNegative);
    this.#tab();
    return value;
  }

  /** With three decimals. */
  seconds(): number {
    // Even before a zero the sign counts.
    const negative = this.at < this.#end && this.#bytes[this.at] === minus;
    const whole = Math.abs(this.#digits(idDigits, true));
    if (this.#take() !== point) this.failed = true;
    const before = this.at;
    const thousandths = this.#digits(3, false);
    if (this.at !== before + 3) this.failed = true;
    this.#tab();
    // One division, so that it is the number that the text says.
    const value = (1000 * whole + thousandths) / 1000;
    return negative ? -value : value;
  }

  /** Python's repr of a text: in quotes of either kind. */
  snippet(): void {
    const quote = this.#take();
    if (quote !== singleQuote && quote !== doubleQuote) this.failed = true;
    const from = this.at;
    this.anything();
    // The quote stands before the tab, and is another one than the first.
    if (this.at - 2 < from || this.#bytes[this.at - 2] !== quote) this.failed = true;
  }

  anything(): void {
    while (this.at < this.#end && this.#bytes[this.at] !== tab) this.at++;
    this.#tab();
  }

  #digits(most: number, mayBeNegative: boolean): number {
    const negative = mayBeNegative && this.at < this.#end && this.#bytes[this.at] === minus;
    if (negative) this.at++;
    let value = 0;
    let count = 0;
    while (count <= most && this.at < this.#end) {
      const digit = (this.#bytes[this.at] ?? 0) - zero;
      if (digit < 0 || digit > 9) break;
      value = 10 * value + digit;
      this.at++;
      count++;
    }
    if (count === 0 || count > most) this.failed = true;
    return negative ? -value : value;
  }

  #take(): number {
    return this.at < this.#end ? (this.#bytes[this.at++] ?? 0) : 0;
  }

  #tab(): void {
    if (this.#take() !== tab) this.failed = true;
  }
}

/**
 * 32 bits that differ, but for one chance in 4,000,000,000, when line number, repeat index or command differ. `commandColumn`: the
 * command as the status file shows it. FNV-1a (Fowler, Noll, Vo).
 */
export function identityOf(line: number, repeatIndex: number, commandColumn: Uint8Array): number {
  let hash = identityStart(line, repeatIndex);
  for (let index = 0; index < commandColumn.length; index++) {
    hash = Math.imul(hash ^ (commandColumn[index] ?? 0), prime);
  }
  return hash >>> 0;
}

function identityStart(line: number, repeatIndex: number): number {
  return Math.imul(Math.imul(0x811c9dc5 ^ line, prime) ^ repeatIndex, prime);
}

/** The beginning of a row, or of the header, however short. */
const tornRow =
  /^(?:[R ]|[R ][O ]|[R ][O ][E ]|[R ][O ][E ][ PSZ]|[BC] {0,4}|(?:[R ][O ][E ][ PSZ]|[BC] {4})\t\d{0,9}(?:\t.*)?|R|RO|ROE|ROE\[.*)?$/s;
const zeroInCommandCode = 200;
const prime = 0x01000193;
const tab = 9;
const columns = 15;
/** Any bytes will do where no digits are wanted: nothing that is not ASCII is looked at. */
const latin1 = new TextDecoder("latin1");
const flagsAndTab = 5;
const idDigits = 15;
const codeDigits = 9;
const [zero, minus, point, blank, singleQuote, doubleQuote] = [0x30, 0x2d, 0x2e, 0x20, 0x27, 0x22];
const [letterB, letterC, letterE, letterO, letterP] = [0x42, 0x43, 0x45, 0x4f, 0x50];
const [letterR, letterS, letterT, letterZ] = [0x52, 0x53, 0x54, 0x5a];
/** No character. */
const flagBarrier = -1;
const pageRows = 1 << 16;
const noFile = -1;
/** An id above this is not one that any list here has reached. */
export const mostId = 1_000_000_000;
const bad: ScannedLine = { kind: "bad" };
const other: ScannedLine = { kind: "other" };
