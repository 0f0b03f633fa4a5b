import type { ScannedRow } from "../src/core/resume-index.js";
import { RowScanner } from "../src/core/row-scanner.js";

export type ScannedLine =
  { readonly kind: "row"; readonly row: ScannedRow } | { readonly kind: "other" | "bad" };

/** What a resume sees in one line of a status file, given without its end. */
export function scanLine(bytes: Uint8Array, from = 0, end = bytes.length): ScannedLine {
  const line = new Uint8Array(end - from + 1);
  line.set(bytes.subarray(from, end));
  line[end - from] = 0x0a;
  const scanner = new RowScanner();
  const kind = scanner.scan(line, 0);
  if (scanner.end !== end - from) return { kind: "bad" };
  if (kind !== "row") return { kind };
  const { id, returnCode, finish, identity } = scanner;
  return { kind, row: { id, returnCode, finish, identity } };
}
