export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
export const space = 0x20;
export const hash = 0x23;

/** Python's `\s` on bytes; that of JavaScript knows more characters. */
export function isBlank(byte: number | undefined): boolean {
  return byte !== undefined && (byte === space || (byte >= 0x09 && byte <= 0x0d));
}

/** The first index from `from` that is no blank; `bytes.length` if there is none. */
export function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isBlank(bytes[at])) at++;
  return at;
}

/** Whether `word` stands at `at`, letter for letter. */
export function hasWord(bytes: Uint8Array, at: number, word: string): boolean {
  for (let index = 0; index < word.length; index++) {
    if (bytes[at + index] !== word.charCodeAt(index)) return false;
  }
  return true;
}

/** Whether `word`, in upper case here, stands at `at` in any case. */
export function hasWordInAnyCase(bytes: Uint8Array, at: number, word: string): boolean {
  for (let index = 0; index < word.length; index++) {
    if (upper(bytes[at + index]) !== word.charCodeAt(index)) return false;
  }
  return true;
}

function upper(byte: number | undefined): number | undefined {
  return byte !== undefined && byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
}
