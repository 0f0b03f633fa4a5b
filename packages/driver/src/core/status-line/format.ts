import { commandColumn } from "./command-column.js";
import type { StatusRow } from "./row.js";
import { formatSeconds } from "./seconds.js";

const lineFeed = 0x0a;

/** The line of a status file with its line end: disBatch's columns, byte for byte. */
export function formatRow(row: StatusRow): Buffer {
  const command = commandColumn(row.command);
  const columns =
    `${flags(row)}\t${row.id}\t${row.line}\t${row.repeatIndex}\t${row.node}\t${row.pid}\t${row.returnCode}\t` +
    `${formatSeconds(row.elapsed)}\t${formatSeconds(row.start)}\t${formatSeconds(row.finish)}\t` +
    `${row.outBytes}\t${row.outSnippet}\t${row.errBytes}\t${row.errSnippet}\t`;
  const before = Buffer.byteLength(columns);
  const line = Buffer.allocUnsafe(before + command.length + 1);
  line.write(columns);
  line.set(command, before);
  line[line.length - 1] = lineFeed;
  return line;
}

/** Four characters; those of barriers are five, and say nothing of what the other flags say. */
function flags(row: StatusRow): string {
  switch (row.kind) {
    case "barrier":
      return "B    ";
    case "checkBarrier":
      return "C    ";
    case "task":
      return `${dataFlags(row)} `;
    case "perEngine":
      return `${dataFlags(row)}P`;
    case "skipped":
      return `${dataFlags(row)}S`;
    case "zombie":
      return `${dataFlags(row)}Z`;
  }
}

function dataFlags(row: StatusRow): string {
  return (
    (row.returnCode === 0 ? " " : "R") + (row.outBytes === 0 ? " " : "O") + (row.errBytes === 0 ? " " : "E")
  );
}
