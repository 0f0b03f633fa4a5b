import { ByteWriter } from "@taskmuster/kvs/protocol";
import { commandColumn } from "./command-column.js";
import type { StatusRow } from "./row.js";
import { writeSeconds } from "./seconds.js";

/** The line of a status file with its line end: disBatch's columns, byte for byte. */
export function formatRow(row: StatusRow): Buffer {
  const writer = new ByteWriter(usualBytes);
  writeRow(writer, row);
  return writer.written;
}

/** Makes the line that begins at `from` that of a row of an earlier run whose task this one skips. */
export function flagSkipped(bytes: Uint8Array, from: number): void {
  bytes[from + dataFlagBytes] = skippedKind;
}

/** The lines of several rows. */
export function formatRows(rows: readonly StatusRow[]): Buffer {
  const writer = new ByteWriter(usualBytes * rows.length);
  for (const row of rows) writeRow(writer, row);
  return writer.written;
}

/** Writes that line. */
export function writeRow(writer: ByteWriter, row: StatusRow): void {
  writer.text(rowFlags(row));
  writer.byte(tab);
  writer.int(row.id);
  writer.byte(tab);
  writer.int(row.line);
  writer.byte(tab);
  writer.int(row.repeatIndex);
  writer.byte(tab);
  writer.text(row.node);
  writer.byte(tab);
  writer.int(row.pid);
  writer.byte(tab);
  writer.int(row.returnCode);
  writer.byte(tab);
  writeSeconds(writer, row.elapsed);
  writer.byte(tab);
  writeSeconds(writer, row.start);
  writer.byte(tab);
  writeSeconds(writer, row.finish);
  writer.byte(tab);
  writer.int(row.outBytes);
  writer.byte(tab);
  writer.text(row.outSnippet);
  writer.byte(tab);
  writer.int(row.errBytes);
  writer.byte(tab);
  writer.text(row.errSnippet);
  writer.byte(tab);
  writer.bytes(commandColumn(row.command));
  writer.byte(lineFeed);
}

/** Four characters; those of barriers are five, and say nothing of what the other flags say. */
export function rowFlags(row: StatusRow): string {
  switch (row.kind) {
    case "barrier":
      return "B    ";
    case "checkBarrier":
      return "C    ";
    case "task":
      // Most rows: no text is made for them.
      return isQuiet(row) ? "    " : `${dataFlags(row)} `;
    case "timedOut":
      return `${dataFlags(row)}T`;
    case "perEngine":
      return `${dataFlags(row)}P`;
    case "skipped":
      return `${dataFlags(row)}S`;
    case "zombie":
      return `${dataFlags(row)}Z`;
  }
}

function isQuiet(row: StatusRow): boolean {
  return row.returnCode === 0 && row.outBytes === 0 && row.errBytes === 0;
}

function dataFlags(row: StatusRow): string {
  return (
    (row.returnCode === 0 ? " " : "R") + (row.outBytes === 0 ? " " : "O") + (row.errBytes === 0 ? " " : "E")
  );
}

const usualBytes = 160;
/** `ROE`, before the flag that says what kind of row it is. */
const dataFlagBytes = 3;
const skippedKind = 0x53;
const tab = 0x09;
const lineFeed = 0x0a;
