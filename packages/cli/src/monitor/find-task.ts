import { type FileHandle, open } from "node:fs/promises";
import { type StatusRow, parseRow } from "@taskmuster/driver/status-line";

const lineFeed = 0x0a;
const tab = 0x09;
const chunkBytes = 256 * 1024;
/** A row that is longer is passed over. */
const mostLineBytes = 4 * 1024 * 1024;

export interface RowSearch {
  readonly row: StatusRow | null;
  /** Where to go on later: the end of the last whole line. */
  readonly end: number;
}

/**
 * The row of a task (or barrier) in a status file, from byte `from` on, in bounded memory. Null: there is no such file here.
 */
export async function findRow(path: string, task: number, from = 0): Promise<RowSearch | null> {
  const file = await open(path, "r").catch(() => null);
  if (file === null) return null;
  try {
    return await scan(file, Buffer.from(String(task)), from);
  } finally {
    await file.close();
  }
}

async function scan(file: FileHandle, id: Buffer, from: number): Promise<RowSearch> {
  let bytes = Buffer.allocUnsafe(chunkBytes);
  let held = 0;
  let end = from;
  let found: StatusRow | null = null;
  for (;;) {
    const { bytesRead } = await file.read(bytes, held, bytes.length - held, end + held);
    if (bytesRead === 0) return { row: found, end };
    held += bytesRead;
    let start = 0;
    for (let stop = bytes.indexOf(lineFeed); stop !== -1 && stop < held;) {
      const row = rowOf(bytes.subarray(start, stop), id);
      // The row that counts; a late one of a superseded attempt only as long as there is no other.
      if (row !== null && row.kind !== "zombie") return { row, end: end + start };
      found ??= row;
      start = stop + 1;
      stop = bytes.indexOf(lineFeed, start);
    }
    bytes.copyWithin(0, start, held);
    held -= start;
    end += start;
    if (held === bytes.length && held < mostLineBytes) {
      const larger = Buffer.allocUnsafe(2 * held);
      bytes.copy(larger, 0, 0, held);
      bytes = larger;
    } else if (held === bytes.length) {
      end += held;
      held = 0;
    }
  }
}

/** Null: the line is not about this task. */
function rowOf(line: Buffer, id: Buffer): StatusRow | null {
  const at = line.indexOf(tab) + 1;
  if (at === 0 || line[at + id.length] !== tab || !line.subarray(at, at + id.length).equals(id)) return null;
  const row = parseRow(line);
  return row?.kind === "perEngine" ? null : row;
}
