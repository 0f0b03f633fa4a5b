import { commandColumn, isAscii } from "./command-column.js";
import { latin1 } from "./python-bytes.js";
import type { StatusRow } from "./row.js";
import { formatSeconds } from "./seconds.js";

/** The line of a status file with its line end: disBatch's columns, byte for byte. */
export function formatRow(row: StatusRow): Buffer {
  return formatRows([row]);
}

/** The lines of several rows. As one piece of text as far as can be: a buffer per row costs more than all the rest. */
export function formatRows(rows: readonly StatusRow[]): Buffer {
  const parts: Buffer[] = [];
  let text = "";
  for (const row of rows) {
    text += columns(row);
    const command = commandColumn(row.command);
    if (isAscii(command)) text += `${latin1(command)}\n`;
    else {
      parts.push(Buffer.from(text), Buffer.from(command));
      text = "\n";
    }
  }
  const last = Buffer.from(text);
  return parts.length === 0 ? last : Buffer.concat([...parts, last]);
}

/** All but the command, which need not be text. */
function columns(row: StatusRow): string {
  return (
    `${rowFlags(row)}\t${row.id}\t${row.line}\t${row.repeatIndex}\t${row.node}\t${row.pid}\t${row.returnCode}\t` +
    `${formatSeconds(row.elapsed)}\t${formatSeconds(row.start)}\t${formatSeconds(row.finish)}\t` +
    `${row.outBytes}\t${row.outSnippet}\t${row.errBytes}\t${row.errSnippet}\t`
  );
}

/** Four characters; those of barriers are five, and say nothing of what the other flags say. */
export function rowFlags(row: StatusRow): string {
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
