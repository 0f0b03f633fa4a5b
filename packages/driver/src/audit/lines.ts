import type { FileHandle } from "node:fs/promises";

const chunkBytes = 256 * 1024;
/** A command is at most 128 KiB; the rest of a row is text that is cut short, or an error message. */
const mostLineBytes = 16 * 1024 * 1024;
const newline = 10;

export interface LineReader {
  /** `line`: without its end, only good until this returns. `at`: from 1. */
  onLine(line: Buffer, at: number): void;
  /** More than 16 MiB. */
  onLongLine(at: number): void;
  /** What stands behind the last line end, if anything does. */
  onTorn(line: Buffer, at: number): void;
}

/** Reads a file line by line through one buffer. Answers how many bytes there were. */
export async function readLines(file: FileHandle, reader: LineReader): Promise<number> {
  let buffer = Buffer.allocUnsafe(chunkBytes);
  /** Beginning of a line whose end has not been read. */
  let held = 0;
  let isLong = false;
  let lines = 0;
  for (let position = 0; ;) {
    if (held === buffer.length) buffer = Buffer.concat([buffer], 2 * buffer.length);
    const { bytesRead } = await file.read(buffer, held, buffer.length - held, position);
    if (bytesRead === 0) {
      if (isLong) reader.onLongLine(lines + 1);
      else if (held > 0) reader.onTorn(buffer.subarray(0, held), lines + 1);
      return position;
    }
    position += bytesRead;
    const filled = held + bytesRead;
    let from = 0;
    for (let end = buffer.indexOf(newline, held); end !== -1 && end < filled;) {
      lines++;
      if (isLong || end - from > mostLineBytes) reader.onLongLine(lines);
      else reader.onLine(buffer.subarray(from, end), lines);
      isLong = false;
      from = end + 1;
      end = buffer.indexOf(newline, from);
    }
    held = filled - from;
    if (from > 0) buffer.copyWithin(0, from, filled);
    if (isLong || held > mostLineBytes) {
      isLong = true;
      held = 0;
    }
  }
}
