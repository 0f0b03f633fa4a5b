/*
 * Text as a terminal lays it out. Terminals disagree about joined emoji, variation selectors and flags, so `clean` takes out what
 * joins: what is left has one width everywhere.
 */

const ascii = /^[\x20-\x7e]*$/;
const wide =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18d08}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const nothing = /[\p{Mn}\p{Me}\u1160-\u11ff]/u;

/** Cells that one character (code point) takes. */
export function cellsOf(character: string): 0 | 1 | 2 {
  if (ascii.test(character)) return 1;
  if (nothing.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** Cells that a cleaned text takes. */
export function textCells(text: string): number {
  if (ascii.test(text)) return text.length;
  let cells = 0;
  for (const character of text) cells += cellsOf(character);
  return cells;
}

const firstFlagLetter = 0x1f1e6;
const letterA = 0x41;

/** One line in which nothing moves the cursor, changes colours or turns the direction of writing. */
export function clean(text: string): string {
  if (ascii.test(text)) return text;
  return text
    .replace(escapeSequences, "")
    .replace(/\p{Cc}+|[\u2028\u2029]+/gu, " ")
    .replace(/[\p{Cf}\p{Cs}\ufe00-\ufe0f]+/gu, "")
    .replace(/[\u{1f1e6}-\u{1f1ff}]/gu, (flag) =>
      String.fromCodePoint((flag.codePointAt(0) ?? firstFlagLetter) - firstFlagLetter + letterA),
    );
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const escapeSequences = /[\u001b\u009b][[\]()#;?]*(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]/g;

/** Bytes of whatever encoding as a cleaned text. */
export function cleanBytes(bytes: Uint8Array): string {
  return clean(new TextDecoder().decode(bytes));
}

/** The first `cells` cells of a text; one cell fewer when a wide character stands across the edge. */
export function firstCells(text: string, cells: number): string {
  if (ascii.test(text)) return text.slice(0, Math.max(0, cells));
  let used = 0;
  let length = 0;
  for (const character of text) {
    used += cellsOf(character);
    if (used > cells) break;
    length += character.length;
  }
  return text.slice(0, length);
}

/** At most `cells` cells; what is cut off at the end shows as `…`. */
export function cut(text: string, cells: number): string {
  if (textCells(text) <= cells) return text;
  return cells <= 0 ? "" : `${firstCells(text, cells - 1).trimEnd()}…`;
}

/** At most `cells` cells; what is cut off at the start shows as `…`. For paths, whose end tells most. */
export function cutStart(text: string, cells: number): string {
  if (textCells(text) <= cells) return text;
  if (cells <= 0) return "";
  const characters = [...text];
  let used = 1;
  let from = characters.length;
  while (from > 0) {
    used += cellsOf(characters[from - 1] ?? "");
    if (used > cells) break;
    from--;
  }
  return `…${characters.slice(from).join("")}`;
}

/** Exactly `cells` cells. */
export function column(text: string, cells: number, align: "left" | "right" = "left"): string {
  const short = cut(text, cells);
  const blanks = " ".repeat(Math.max(0, cells - textCells(short)));
  return align === "left" ? short + blanks : blanks + short;
}

/** Lines of at most `cells` cells, broken between words where there are any. */
export function wrap(text: string, cells: number): readonly string[] {
  const lines: string[] = [];
  let rest = text.trimEnd();
  while (textCells(rest) > cells) {
    const room = firstCells(rest, cells);
    const blank = room.lastIndexOf(" ");
    // A word that is longer than half a line (a path, base64) is rather broken than given a line of its own.
    const at = rest[room.length] === " " ? room.length : blank > cells / 2 ? blank : Math.max(1, room.length);
    lines.push(rest.slice(0, at).trimEnd());
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest];
}
