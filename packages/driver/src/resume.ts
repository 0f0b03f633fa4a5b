import type { FileHandle } from "node:fs/promises";
import { TaskmusterError } from "@taskmuster/kvs";
import {
  type FoundRow,
  ResumeIndex,
  type ScannedLine,
  hasHole,
  isTornRow,
  scanLine,
} from "./core/resume-index.js";
import { type StatusRow, parseRow } from "./core/status-line/index.js";
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

  /** What a row says. Throws as `line` does. */
  async row(found: FoundRow): Promise<StatusRow> {
    return this.parsed(await this.line(found), found);
  }

  /**
   * The line of a row, without its end; a promise only where it has to be read. Throws, or rejects with, `StatusFileError` when the file
   * has changed since.
   */
  line(found: FoundRow): Buffer | Promise<Buffer> {
    return this.#readers[found.file]?.held(found) ?? this.#read(found);
  }

  /** What a line says that `line` gave. */
  parsed(line: Uint8Array, found: FoundRow): StatusRow {
    return parseRow(line) ?? this.#refuse(found);
  }

  async #read(found: FoundRow): Promise<Buffer> {
    return (await this.#readers[found.file]?.read(found)) ?? this.#refuse(found);
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
  let rest: Buffer = Buffer.alloc(0);
  let restOffset = 0;
  let lineNumber = 0;
  let good = 0;
  let badCount = 0;
  let firstBad = 0;
  /** There are zero bytes in what is looked at. */
  let holes = false;
  /** Of a line that is too long for a row the beginning was let go. */
  let isLong = false;
  const take = (bytes: Buffer, from: number, end: number, offset: number): void => {
    lineNumber++;
    const scanned = isLong ? tooLong : scanLine(bytes, from, end);
    isLong = false;
    const isRow = scanned.kind === "row";
    const isHoled = holes && isRow && hasHole(bytes.subarray(from, end), scanned.row.returnCode);
    if (isRow && !isHoled) index.add(scanned.row, { file: number, offset, length: end - from });
    if (scanned.kind !== "bad" && !isHoled) good++;
    else if (badCount++ === 0) firstBad = lineNumber;
  };
  let buffer = Buffer.allocUnsafe(chunkBytes);
  for (let position = 0; ;) {
    // What is left of the last chunk comes before the next one.
    if (rest.length + chunkBytes > buffer.length)
      buffer = Buffer.concat([rest, buffer], 2 * rest.length + chunkBytes);
    else rest.copy(buffer);
    const { bytesRead } = await file.read(buffer, rest.length, chunkBytes, position);
    if (bytesRead === 0) {
      rest = buffer.subarray(0, rest.length);
      break;
    }
    const chunk = buffer.subarray(0, rest.length + bytesRead);
    const base = restOffset;
    holes = chunk.includes(0);
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      take(chunk, from, end, base + from);
      from = end + 1;
    }
    rest = chunk.subarray(from);
    restOffset = base + from;
    position += bytesRead;
    if (rest.length <= mostRowBytes) continue;
    // Some other large file, of which not even a line has come; or a hole in this one.
    if (good === 0) throw notStatusFile(path);
    isLong = true;
    restOffset += rest.length;
    rest = Buffer.alloc(0);
  }
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

const newline = 10;
/** Each read wakes another thread, which costs more than the bytes. */
const chunkBytes = 1024 * 1024;
const mostRowBytes = 16 * 1024 * 1024;
const tooLong: ScannedLine = { kind: "bad" };
