import type { Advice } from "./advice.js";
import { mostNumber } from "./repeat.js";

const shownCharacters = 200;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const lenientHint = "With --lenient such a line is passed over, as disBatch does.";

export const crlf =
  "lines end in CR LF, as Windows writes them; the CR is taken as part of the line end here and below";

export function markerOnly(line: Uint8Array): string {
  return `${quoted(line)} runs as a task, as in disBatch: a directive begins with "#DISBATCH" and one space. Told once`;
}

export function unknown(line: Uint8Array, { problem, advice }: Advice): string {
  return `${problem} directive ${quoted(line)}. ${advice} ${lenientHint}`;
}

export function ignored(line: Uint8Array, { problem, advice }: Advice): string {
  return `${problem} directive ${quoted(line)} is passed over. ${advice}`;
}

export function tooLarge(line: Uint8Array): string {
  return (
    `a number in ${quoted(line)} is too large: tasks and repeat indices are counted up to ${mostNumber}. ` +
    "Split the list"
  );
}

export function tooLong(line: Uint8Array): string {
  const start = quoted(line.subarray(0, 40));
  return `the line that begins with ${start} has more than 64 MiB, and a command can have 128 KiB. Is this a list of commands?`;
}

export function commandTooLong(line: Uint8Array): string {
  const start = quoted(line.subarray(0, 40));
  return (
    `the command of the line that begins with ${start} has more than 3 MiB, with PREFIX and SUFFIX, and a command can have 128 KiB. ` +
    "Put it into a script, and run that"
  );
}

export function latePerEngine(line: Uint8Array): string {
  return (
    `${quoted(line)} comes too late: PERENGINE belongs before the first task, REPEAT or BARRIER. Move it to the top. ` +
    "With --lenient the list ends here, as in disBatch"
  );
}

export function dropped(line: Uint8Array): string {
  return (
    `${quoted(line)} comes too late: PERENGINE belongs before the first task, REPEAT or BARRIER. ` +
    "This line and all that follow are dropped, as in disBatch"
  );
}

export function lowerCase(line: Uint8Array): string {
  return `malformed directive ${quoted(line)}. Write START or STOP in upper case. With --lenient it is taken so`;
}

export function takenAsUpperCase(line: Uint8Array): string {
  return `${quoted(line)} is taken as if START or STOP stood there in upper case; disBatch would break down on it`;
}

/** As UTF-8, cut short if it is long. */
export function shown(line: Uint8Array): string {
  // No character takes more than four bytes.
  const text = utf8.decode(line.subarray(0, 4 * shownCharacters));
  if (line.length <= 4 * shownCharacters && text.length <= shownCharacters) return text;
  return `${text.slice(0, shownCharacters).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Safe to print on a terminal. */
function quoted(line: Uint8Array): string {
  return JSON.stringify(shown(line)).replaceAll(/[\u007f-\u009f\u2028\u2029]/g, hexEscape);
}

function hexEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
