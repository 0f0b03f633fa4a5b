import { hasWordInAnyCase, isBlank, skipBlanks, space } from "./ascii.js";

/** As high as tasks and indices are counted: 15 digits are what a status file's readers take for a number that is exact. */
export const mostNumber = 999_999_999_999_999;

/** `count` tasks with the indices `start`, `start + step`, … */
export interface Repeat {
  readonly kind: "repeat";
  readonly count: number;
  readonly start: number;
  readonly step: number;
  /** Part of the line; empty if there is none. */
  readonly command: Uint8Array;
}

/**
 * Reads what follows `REPEAT`, from `from`. Null: malformed. `tooLarge`: an index or the count is more than `mostNumber`.
 *
 * By hand, for a command may have megabytes; it says what this pattern says in Python, where `\s` is six bytes:
 * `\s+([0-9]+)(?:\s+start\s+([0-9]+))?(?:\s+step\s+([0-9]+))?(?: (.+))?\s*$`. A START or STEP that does not fit its place is
 * the command's.
 */
export function readRepeat(line: Uint8Array, from: number): Repeat | "tooLarge" | null {
  const count = readNumber(line, from);
  if (count === null) return null;
  const start = readSetting(line, count.end, "START");
  const step = readSetting(line, (start ?? count).end, "STEP");
  // What follows the settings may be no command: then the last of them was no setting, but the command's first word.
  for (const settings of [
    { start, step },
    { start, step: null },
    { start: null, step: null },
  ]) {
    const command = readCommand(line, (settings.step ?? settings.start ?? count).end);
    if (command === null) continue;
    return checked(count.value, settings.start?.value ?? 0, settings.step?.value ?? 1, command);
  }
  return null;
}

function checked(count: number, start: number, step: number, command: Uint8Array): Repeat | "tooLarge" {
  const last = count <= 1 ? count * start : start + (count - 1) * step;
  const countable = count === 0 || (count <= mostNumber && last <= mostNumber);
  return countable ? { kind: "repeat", count, start, step, command } : "tooLarge";
}

interface ReadNumber {
  readonly value: number;
  /** The first index after it. */
  readonly end: number;
}

/** Blanks, then digits. The value is exact if it is a safe integer. */
function readNumber(line: Uint8Array, from: number): ReadNumber | null {
  if (!isBlank(line[from])) return null;
  const first = skipBlanks(line, from);
  let end = first;
  let value = 0;
  for (;;) {
    const digit = digitAt(line, end);
    if (digit === null) break;
    value = value * 10 + digit;
    end++;
  }
  return end === first ? null : { value, end };
}

function digitAt(line: Uint8Array, at: number): number | null {
  const byte = line[at];
  return byte !== undefined && byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : null;
}

function readSetting(line: Uint8Array, from: number, word: "START" | "STEP"): ReadNumber | null {
  if (!isBlank(line[from])) return null;
  const at = skipBlanks(line, from);
  return hasWordInAnyCase(line, at, word) ? readNumber(line, at + word.length) : null;
}

/** Null: neither one space and a command, nor blanks to the end. */
function readCommand(line: Uint8Array, from: number): Uint8Array | null {
  if (line[from] === space && from + 1 < line.length) return line.subarray(from + 1);
  return skipBlanks(line, from) === line.length ? line.subarray(line.length) : null;
}
