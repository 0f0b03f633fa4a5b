import { taskId } from "@taskmuster/kvs/protocol";
import * as fc from "fast-check";
import { type RowKind, type StatusRow, snippetText } from "../../../src/core/status-line/index.js";

/** A row of a task that went well, with what a test wants otherwise. */
export function row(changes: Partial<StatusRow> = {}): StatusRow {
  return {
    kind: "task",
    id: taskId(0),
    line: 9,
    repeatIndex: -1,
    node: "vm",
    pid: 28591,
    returnCode: 0,
    elapsed: 0.005,
    start: 1795205917.875,
    finish: 1795205917.88,
    outBytes: 0,
    outSnippet: "''",
    errBytes: 0,
    errSnippet: "''",
    command: Buffer.from("( true ) "),
    ...changes,
  };
}

export const rowKinds: readonly RowKind[] = [
  "task",
  "timedOut",
  "skipped",
  "perEngine",
  "zombie",
  "barrier",
  "checkBarrier",
];
/** Bytes among which quotes, escapes and parts of UTF-8 are frequent; no line feed. */
const spicyBytes = fc
  .array(
    fc.oneof(
      fc.constantFrom(...Buffer.from("ab '\"\\\t\r\0\u00e9\u{1f600}\u00a0\u200b\ufeff")),
      fc.integer({ min: 0, max: 255 }).filter((byte) => byte !== 0x0a),
    ),
    { maxLength: 20 },
  )
  .map((bytes) => Buffer.from(bytes));
const command = fc.oneof(
  spicyBytes,
  fc.string({ unit: "grapheme" }).map((text) => Buffer.from(text.replaceAll("\n", ""))),
);
/** Milliseconds, as the file keeps them. */
const seconds = fc.integer({ min: 0, max: 4_000_000_000_000 }).map((ms) => ms / 1000);
const snippet = fc.uint8Array({ maxLength: 83 }).map(snippetText);

export const anyRow: fc.Arbitrary<StatusRow> = fc.record({
  kind: fc.constantFrom(...rowKinds),
  id: fc.nat().map(taskId),
  line: fc.nat(),
  repeatIndex: fc.integer({ min: -1 }),
  node: fc.constantFrom("vm", "node-01.cluster", "knö"),
  pid: fc.integer({ min: -1 }),
  returnCode: fc.integer({ min: -100, max: 255 }),
  elapsed: seconds,
  start: seconds,
  finish: seconds,
  outBytes: fc.nat(),
  outSnippet: snippet,
  errBytes: fc.nat(),
  errSnippet: snippet,
  command,
});
