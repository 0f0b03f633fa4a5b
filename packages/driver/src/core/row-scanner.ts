import type { ScannedRow } from "./resume-index.js";

/**
 * Reads of the lines of a status file only what a resume needs; what it takes for a row `parseRow` does too. `other`: a row that does
 * not count (barriers, PERENGINE, late rows, the header); `bad`: not a line of a status file. A million lines are read before a run
 * starts, so this goes through each once, byte by byte, and makes nothing: what a row says stands here until the next one.
 */
export class RowScanner implements ScannedRow {
  id = 0;
  returnCode = 0;
  finish = 0;
  identity = 0;
  /** Where the newline of the line is that was scanned last. */
  end = 0;
  #bytes: Uint8Array = nothing;
  #at = 0;
  #failed = false;

  /** The line that begins at `from`; there must be a newline from there on. */
  scan(bytes: Uint8Array, from: number): "row" | "other" | "bad" {
    this.#bytes = bytes;
    this.#at = from;
    this.#failed = false;
    const flag = this.#flags();
    this.id = this.#integer(idDigits, false);
    const line = this.#integer(idDigits, false);
    const repeatIndex = this.#integer(idDigits, true);
    this.#anything();
    this.#integer(idDigits, true);
    this.returnCode = this.#integer(codeDigits, true);
    this.#seconds();
    this.#seconds();
    this.finish = this.#seconds();
    this.#integer(idDigits, false);
    this.#snippet();
    this.#integer(idDigits, false);
    this.#snippet();
    let at = this.#at;
    let identity = identityStart(line, repeatIndex);
    for (let byte = bytes[at] ?? newline; byte !== newline; byte = bytes[++at] ?? newline)
      identity = Math.imul(identity ^ byte, prime);
    this.identity = identity >>> 0;
    this.end = at;
    if (this.#failed) return isHeader(bytes, from, at) ? "other" : "bad";
    if (this.id > mostId) return "bad";
    return flag === flagBarrier || flag === letterP || flag === letterZ ? "other" : "row";
  }

  /** The fourth one of a task's row; `flagBarrier` for that of a barrier. */
  #flags(): number {
    const first = this.#take();
    const second = this.#take();
    const third = this.#take();
    const fourth = this.#take();
    if ((first === letterB || first === letterC) && second === blank && third === blank && fourth === blank) {
      // Theirs has a character more.
      if (this.#take() !== blank) this.#failed = true;
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
    if (!known) this.#failed = true;
    this.#tab();
    return fourth;
  }

  #integer(mostDigits: number, mayBeNegative: boolean): number {
    const value = this.#digits(mostDigits, mayBeNegative);
    this.#tab();
    return value;
  }

  /** With three decimals. */
  #seconds(): number {
    // Even before a zero the sign counts.
    const negative = this.#bytes[this.#at] === minus;
    const whole = Math.abs(this.#digits(idDigits, true));
    if (this.#take() !== point) this.#failed = true;
    const before = this.#at;
    const thousandths = this.#digits(3, false);
    if (this.#at !== before + 3) this.#failed = true;
    this.#tab();
    // One division, so that it is the number that the text says.
    const value = (1000 * whole + thousandths) / 1000;
    return negative ? -value : value;
  }

  /** Python's repr of a text: in quotes of either kind. */
  #snippet(): void {
    const quote = this.#take();
    if (quote !== singleQuote && quote !== doubleQuote) this.#failed = true;
    const from = this.#at;
    this.#anything();
    // The quote stands before the tab, and is another one than the first.
    if (this.#at - 2 < from || this.#bytes[this.#at - 2] !== quote) this.#failed = true;
  }

  #anything(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let byte = bytes[at] ?? newline; byte !== tab && byte !== newline; byte = bytes[at] ?? newline) at++;
    this.#at = at;
    this.#tab();
  }

  #digits(most: number, mayBeNegative: boolean): number {
    const bytes = this.#bytes;
    let at = this.#at;
    const negative = mayBeNegative && bytes[at] === minus;
    if (negative) at++;
    const from = at;
    let value = 0;
    for (;;) {
      const digit = (bytes[at] ?? 0) - zero;
      if (digit < 0 || digit > 9) break;
      value = 10 * value + digit;
      at++;
    }
    if (at === from || at > from + most) this.#failed = true;
    this.#at = at;
    return negative ? -value : value;
  }

  /** Never goes beyond the line. */
  #take(): number {
    const byte = this.#bytes[this.#at] ?? newline;
    if (byte !== newline) this.#at++;
    return byte;
  }

  #tab(): void {
    if (this.#bytes[this.#at] === tab) this.#at++;
    else this.#failed = true;
  }
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
const nothing = new Uint8Array();
const prime = 0x01000193;
const tab = 9;
const newline = 10;
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
/** An id above this is not one that any list here has reached. */
export const mostId = 1_000_000_000;
