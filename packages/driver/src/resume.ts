import type { FileHandle } from "node:fs/promises";
import { TaskmusterError } from "@taskmuster/kvs";
import { type FoundRow, ResumeIndex } from "./core/resume-index.js";
import { RowScanner, hasHole, isTornRow } from "./core/row-scanner.js";
import { type StatusRow, parseRow } from "./core/status-line/index.js";
import { LineBlocks } from "./line-blocks.js";
import { openRegular } from "./regular-file.js";
import { RowReader } from "./row-reader.js";
import { reasonOf, StatusFileError } from "./status-file.js";

/** The status files of earlier runs, read for a resume. Rows are fetched from the files again when they are needed. */
export class ResumeFiles {
  readonly index: ResumeIndex;
  readonly paths: readonly string[];
  /** What was found wrong and passed over, for the user. */
  readonly warnings: readonly string[];
  readonly #readers: readonly RowReader[];

  private constructor(
    index: ResumeIndex,
    paths: readonly string[],
    warnings: readonly string[],
    readers: readonly RowReader[],
  ) {
    this.index = index;
    this.paths = paths;
    this.warnings = warnings;
    this.#readers = readers;
  }

  /** Throws `StatusFileError` when one cannot be read or is no status file. */
  static async open(paths: readonly string[]): Promise<ResumeFiles> {
    const index = new ResumeIndex();
    const warnings: string[] = [];
    const readers: RowReader[] = [];
    try {
      for (const [number, path] of paths.entries()) {
        const file = await openForReading(path);
        readers.push(new RowReader(file));
        await scanFile(path, file, number, index, warnings);
      }
    } catch (error) {
      for (const reader of readers) await reader.close();
      throw error;
    }
    return new ResumeFiles(index, paths, warnings, readers);
  }

  /** What a row says. Rejects as `read` does. */
  async row(found: FoundRow): Promise<StatusRow> {
    const { bytes, from } = this.find(found) ?? (await this.read(found));
    return parseRow(bytes.subarray(from, from + found.length)) ?? this.#refuse(found);
  }

  /** Where a row stands, until the next one is asked for; null: it has to be read. */
  find(found: FoundRow): RowReader | null {
    const reader = this.#readers[found.file];
    return reader?.find(found) === true ? reader : null;
  }

  /** As `find`. Rejects with `StatusFileError` when the file has changed since. */
  async read(found: FoundRow): Promise<RowReader> {
    const reader = this.#readers[found.file];
    if (reader === undefined || !(await reader.read(found))) return this.#refuse(found);
    return reader;
  }

  #refuse({ file }: FoundRow): never {
    throw new StatusFileError(`${this.paths[file]} has changed since this run began`);
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) await reader.close();
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  let file: FileHandle | null;
  try {
    file = await openRegular(path);
  } catch (cause) {
    throw new StatusFileError(`cannot read the status file ${path} (-r): ${reasonOf(cause)}`, { cause });
  }
  if (file !== null) return file;
  throw new StatusFileError(`cannot resume from ${path} (-r): it is not a regular file`);
}

async function scanFile(
  path: string,
  file: FileHandle,
  number: number,
  index: ResumeIndex,
  warnings: string[],
): Promise<void> {
  const blocks = new LineBlocks(file);
  const row = new RowScanner();
  let lineNumber = 0;
  let good = 0;
  let badCount = 0;
  let firstBad = 0;
  /** Of a line that is too long for a row the beginning was let go. */
  let isLong = false;
  for (let block = await blocks.next(); block !== null; block = await blocks.next()) {
    const { bytes, offset, end } = block;
    const holes = bytes.includes(0);
    for (let from = 0; from < end; from = row.end + 1) {
      lineNumber++;
      const kind = row.scan(bytes, from);
      const isRow = kind === "row" && !isLong;
      const isHoled = holes && isRow && hasHole(bytes.subarray(from, row.end), row.returnCode);
      if (isRow && !isHoled) index.add(row, number, offset + from, row.end - from);
      if (kind !== "bad" && !isLong && !isHoled) good++;
      else if (badCount++ === 0) firstBad = lineNumber;
      isLong = false;
    }
    if (blocks.rest.length <= mostRowBytes) continue;
    // Some other large file, of which not even a line has come; or a hole in this one.
    if (good === 0) throw notStatusFile(path);
    isLong = true;
    blocks.forgetRest();
  }
  const { rest } = blocks;
  if (good === 0 && (badCount > 0 || !isTornRow(rest))) throw notStatusFile(path);
  if (badCount > 0) {
    warnings.push(
      `${path}: ${badCount} line(s) that are no rows were passed over, the first is line ${firstBad}`,
    );
  }
  // A last line without its end was being written when that run was killed: what it says may be cut short.
  if (rest.length > 0 || isLong) {
    const how = rest.includes(0)
      ? "it ends in zero bytes, as a crash of the host leaves them"
      : "no line end";
    warnings.push(`${path}: the last line is torn (${how}) and was passed over; its task runs again`);
  }
}

function notStatusFile(path: string): StatusFileError {
  return new StatusFileError(
    `${path} (-r) is not a status file: line 1 does not have the 15 tab-separated columns of one`,
  );
}

/** The error of a resume whose rows are of another list. */
export class ResumeMismatchError extends TaskmusterError {
  override readonly name = "ResumeMismatchError";

  constructor(message: string) {
    super("E_STATUS_FILE", message);
  }
}

const mostRowBytes = 16 * 1024 * 1024;
