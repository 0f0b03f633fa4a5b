import { needsLook, pythonQuote, sharedEscape } from "./python-text.js";

/** Python's `repr` of bytes, `b'…'`. */
export function pythonReprOfBytes(bytes: Uint8Array): string {
  const text = latin1(bytes);
  const quote = pythonQuote(text);
  return `b${quote}${text.replaceAll(needsLook, (character) => escapedInBytes(character, quote))}${quote}`;
}

const escapes: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  n: "\n",
  r: "\r",
  t: "\t",
};

/** The inverse of `pythonReprOfBytes`. Null: not exactly what that function writes. */
export function parsePythonBytesRepr(text: string): Uint8Array | null {
  const quoted = /^b(['"])([\x20-\x7e]*)\1$/.exec(text)?.[2];
  if (quoted === undefined) return null;
  const raw = quoted.replaceAll(
    /\\(?:x([0-9a-f]{2})|([\\'"nrt]))/g,
    (_match, hex?: string, letter?: string) =>
      hex === undefined ? (escapes[letter ?? ""] ?? "") : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const bytes = Buffer.from(raw, "latin1");
  return pythonReprOfBytes(bytes) === text ? bytes : null;
}

/** One character for each byte. */
export function latin1(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString("latin1");
}

function escapedInBytes(character: string, quote: "'" | '"'): string {
  return sharedEscape(character, quote) ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
