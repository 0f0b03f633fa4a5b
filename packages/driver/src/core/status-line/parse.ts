import { taskId } from "@taskmuster/kvs/protocol";
import { commandOfColumn } from "./command-column.js";
import type { CopiedRows, RowKind, StatusRow } from "./row.js";

const columns = 15;
const tab = 0x09;
const lineFeed = 0x0a;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** By the one letter that tells it. */
export const kindOfFlag: Readonly<Record<string, RowKind>> = {
  " ": "task",
  T: "timedOut",
  P: "perEngine",
  S: "skipped",
  Z: "zombie",
  B: "barrier",
  C: "checkBarrier",
};

/** What rows say, copied or not. */
export function* statusRows(rows: Iterable<StatusRow | CopiedRows>): Generator<StatusRow> {
  for (const row of rows) {
    if (row.kind === "copied") yield* parseRows(row.lines);
    else yield row;
  }
}

/** Each line that is a row. */
function* parseRows(lines: Uint8Array): Generator<StatusRow> {
  for (let from = 0; from < lines.length;) {
    const end = lines.indexOf(lineFeed, from) + 1;
    const row = parseRow(lines.subarray(from, end));
    if (row !== null) yield row;
    from = end;
  }
}

/** The inverse of `formatRow`, but for what `commandOfColumn` says; the line end may be missing. Null: not a row (the header, say). */
export function parseRow(line: Uint8Array): StatusRow | null {
  const end = line.at(-1) === lineFeed ? line.length - 1 : line.length;
  let commandAt = 0;
  for (let column = 1; column < columns; column++) {
    commandAt = line.indexOf(tab, commandAt) + 1;
    if (commandAt === 0) return null;
  }
  const [flags, id, task, repeat, node, pid, code, elapsed, start, finish, outBytes, out, errBytes, err] =
    utf8.decode(line.subarray(0, commandAt)).split("\t");
  const kind = kindOf(flags ?? "");
  if (kind === null || node === undefined || !isRepr(out) || !isRepr(err)) return null;
  const row = {
    kind,
    id: taskId(integer(id)),
    line: integer(task),
    repeatIndex: integer(repeat),
    node,
    pid: integer(pid),
    returnCode: integer(code),
    elapsed: decimal(elapsed),
    start: decimal(start),
    finish: decimal(finish),
    outBytes: integer(outBytes),
    outSnippet: out,
    errBytes: integer(errBytes),
    errSnippet: err,
    command: commandOfColumn(line.subarray(commandAt, end)),
  };
  const integers =
    row.id + row.line + row.repeatIndex + row.pid + row.returnCode + row.outBytes + row.errBytes;
  return Number.isNaN(integers + row.elapsed + row.start + row.finish) ? null : row;
}

function kindOf(flags: string): RowKind | null {
  const flag = /^(?:[R ][O ][E ]([ TPSZ])|([BC]) {4})$/.exec(flags);
  return kindOfFlag[flag?.[1] ?? flag?.[2] ?? ""] ?? null;
}

/** NaN unless `text` is a whole number. */
function integer(text = ""): number {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

/** NaN unless `text` is a number with three decimals. */
function decimal(text = ""): number {
  return /^-?\d{1,15}\.\d{3}$/.test(text) ? Number(text) : Number.NaN;
}

function isRepr(text: string | undefined): text is string {
  return text !== undefined && /^(?:'.*'|".*")$/su.test(text);
}
