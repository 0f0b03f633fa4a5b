import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type StatusRow, parseRow, statusHeader } from "../core/status-line/index.js";
import { StatusFile, StatusFileError, reasonOf } from "../status-file.js";

/** The rows of a status file in a new file beside it, not yet in its place. */
export interface CopiedFile {
  /** Bytes of a last row that was cut off, and left out; 0: none. */
  readonly tornBytes: number;
  /** Lines that are no rows; they were copied as they are. */
  readonly badLines: number;
  /** Puts the copy in the place of the file: what another driver still writes goes into the old one, which has no name any more. */
  replace(options: { readonly sync: boolean }): Promise<StatusFile>;
  /** Leaves all as it was. */
  discard(): Promise<void>;
}

/** Copies every whole line and tells the rows. Throws `StatusFileError`. */
export async function copyRows(path: string, onRow: (row: StatusRow) => void): Promise<CopiedFile> {
  const source = await opened(path, open(path, "r"));
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  try {
    const target = await opened(temporary, open(temporary, "wx", 0o600));
    try {
      const { bytes, tornBytes, badLines } = await copyLines(source, target, onRow);
      await target.sync();
      return {
        tornBytes,
        badLines,
        replace: async ({ sync }) => {
          await rename(temporary, path);
          await syncDirectory(dirname(path));
          return StatusFile.goOn(path, target, bytes, { sync });
        },
        discard: async () => {
          await target.close();
          await rm(temporary, { force: true });
        },
      };
    } catch (error) {
      await target.close();
      await rm(temporary, { force: true });
      throw error instanceof StatusFileError ? error : failed(path, error);
    }
  } finally {
    await source.close();
  }
}

async function opened(path: string, opening: Promise<FileHandle>): Promise<FileHandle> {
  try {
    return await opening;
  } catch (cause) {
    throw failed(path, cause);
  }
}

function failed(path: string, cause: unknown): StatusFileError {
  return new StatusFileError(`cannot go on with the status file ${path}: ${reasonOf(cause)}`, { cause });
}

async function copyLines(
  source: FileHandle,
  target: FileHandle,
  onRow: (row: StatusRow) => void,
): Promise<{ readonly bytes: number; readonly tornBytes: number; readonly badLines: number }> {
  const header = Buffer.from(statusHeader);
  let rest: Buffer = Buffer.alloc(0);
  let written = 0;
  let badLines = 0;
  for (let position = 0; ;) {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    const { bytesRead } = await source.read(buffer, 0, chunkBytes, position);
    if (bytesRead === 0) return { bytes: written, tornBytes: rest.length, badLines };
    position += bytesRead;
    const chunk = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    const whole = chunk.lastIndexOf(newline) + 1;
    for (let from = 0; from < whole;) {
      const end = chunk.indexOf(newline, from);
      const line = chunk.subarray(from, end);
      const row = parseRow(line);
      if (row !== null) onRow(row);
      else if (written + from > 0 || !line.equals(header)) badLines++;
      from = end + 1;
    }
    for (let from = 0; from < whole;) {
      const { bytesWritten } = await target.write(chunk, from, whole - from, written);
      from += bytesWritten;
      written += bytesWritten;
    }
    rest = chunk.subarray(whole);
  }
}

/** So that the new name lasts, too. Some file systems cannot. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r").catch(() => null);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}

const newline = 10;
const chunkBytes = 256 * 1024;
