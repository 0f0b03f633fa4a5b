/** What Python's `repr` only puts quotes around. */
const plain = /^[\x20-\x26\x28-\x5b\x5d-\x7e]*$/;
/** `str.isprintable` is false of all of these but the space. */
const unprintable = /[\p{C}\p{Z}]/u;

/** Python's `repr` of a str. Of the newest characters the Unicode version of this Node says whether they are printable. */
export function pythonReprOfStr(text: string): string {
  if (plain.test(text)) return `'${text}'`;
  const quote = pythonQuote(text);
  return `${quote}${text.replaceAll(needsLook, (character) => escapedInStr(character, quote))}${quote}`;
}

/** All that `repr` may show other than as it is. */
export const needsLook = /[^\x20-\x7e]|[\\'"]/gu;

/** Double quotes only to save an escape. */
export function pythonQuote(text: string): "'" | '"' {
  return text.includes("'") && !text.includes('"') ? '"' : "'";
}

/** Escapes that str and bytes have in common; null: none of them. */
export function sharedEscape(character: string, quote: "'" | '"'): string | null {
  switch (character) {
    case "'":
    case '"':
      return character === quote ? `\\${quote}` : character;
    case "\\":
      return "\\\\";
    case "\n":
      return "\\n";
    case "\r":
      return "\\r";
    case "\t":
      return "\\t";
    default:
      return null;
  }
}

function escapedInStr(character: string, quote: "'" | '"'): string {
  const shared = sharedEscape(character, quote);
  if (shared !== null) return shared;
  if (!unprintable.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
