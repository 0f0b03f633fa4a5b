import { pythonReprOfStr } from "./python-text.js";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** What a task wrote, as the status file shows it. What is no UTF-8 becomes U+FFFD, like Python's `errors="replace"`. */
export function snippetText(bytes: Uint8Array): string {
  return bytes.length === 0 ? "''" : pythonReprOfStr(utf8.decode(bytes));
}
