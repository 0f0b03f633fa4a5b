import type { FileHandle } from "node:fs/promises";
import { openRegular } from "../regular-file.js";
import { StatusFileError, reasonOf } from "../status-file.js";
import { FileRows } from "../core/audit/file-rows.js";
import { hasHole, isTornRow } from "../core/row-scanner.js";
import { readLines } from "./lines.js";
import { idOfTorn, isHeader, readRow } from "./read-row.js";

export interface ScannedFile {
  readonly rows: FileRows;
  readonly bytes: number;
  /** Of the file itself, whatever its names are. */
  readonly identity: string;
}

/** Reads a status file to its end. Throws `StatusFileError` when it cannot be read or is none. */
export async function scanFile(path: string, withIdentity: boolean): Promise<ScannedFile> {
  const { file, identity } = await openFile(path);
  try {
    const rows = new FileRows();
    let hasHeader = false;
    let isTorn = false;
    const bytes = await readLines(file, {
      onLine(line, at) {
        const row = readRow(line, withIdentity);
        if (!("what" in row)) {
          if (hasHole(line, row.returnCode)) rows.addFault({ what: "zeros" }, at);
          else rows.addRow(row, at);
        } else if (!isHeader(line)) rows.addFault(row, at);
        else if (at === 1) hasHeader = true;
        else rows.addFault({ what: "header" }, at);
      },
      onLongLine: (at) => rows.addFault({ what: "tooLong" }, at),
      onTorn(line, at) {
        rows.torn = { at, id: idOfTorn(line) };
        isTorn = isTornRow(line);
      },
    });
    const isNone = rows.counts.rows === 0 && !hasHeader && (rows.badCount > 0 || rows.torn !== null);
    // The first row of a run that has just begun may be torn, but looks like one.
    if (isNone && (rows.badCount > 0 || !isTorn)) throw notStatusFile(path);
    return { rows, bytes, identity };
  } catch (cause) {
    if (cause instanceof StatusFileError) throw cause;
    throw new StatusFileError(`cannot read the status file ${path}: ${reasonOf(cause)}`, { cause });
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<{ readonly file: FileHandle; readonly identity: string }> {
  let file: FileHandle | null;
  try {
    file = await openRegular(path);
  } catch (cause) {
    throw new StatusFileError(`cannot read the status file ${path}: ${reasonOf(cause)}`, { cause });
  }
  if (file === null) throw new StatusFileError(`cannot audit ${path}: it is not a regular file`);
  const stat = await file.stat();
  return { file, identity: `${stat.dev}:${stat.ino}` };
}

function notStatusFile(path: string): StatusFileError {
  return new StatusFileError(
    `${path} is not a status file: no line of it has the 15 tab-separated columns of one`,
  );
}
