import { latin1, parsePythonBytesRepr, pythonReprOfBytes } from "./python-bytes.js";

/** Ignores no byte order mark: it is the command's. */
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const letterB = 0x62;

/** A command as the status file shows it: as it is if it is UTF-8, else Python's `b'…'`. */
export function commandColumn(command: Uint8Array): Uint8Array {
  return isAscii(command) || isUtf8(command) ? command : Buffer.from(pythonReprOfBytes(command), "latin1");
}

/**
 * The command that `commandColumn` shows so. Of a command that itself reads like the `b'…'` of bytes that are no UTF-8 nobody can
 * tell; it is taken for those bytes.
 */
export function commandOfColumn(column: Uint8Array): Uint8Array {
  if (column[0] !== letterB || !isAscii(column)) return column;
  const bytes = parsePythonBytesRepr(latin1(column));
  return bytes === null || isUtf8(bytes) ? column : bytes;
}

function isAscii(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) {
    if ((bytes[index] ?? 0) > 0x7f) return false;
  }
  return true;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictUtf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
