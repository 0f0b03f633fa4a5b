import type { FileHandle } from "node:fs/promises";
import { type FoundRow, hasId } from "./core/resume-index.js";

const newline = 10;
const blockBytes = 256 * 1024;
/** Tasks end in another order than they stand in the list, but not in quite another one. */
const mostBlocks = 16;

/**
 * Fetches rows from a status file, by the place where they were found. Reads blocks, and keeps some, as rows are mostly asked for about in
 * the order in which they stand.
 */
export class RowReader {
  readonly #file: FileHandle;
  /** By their number, oldest first. What was handed out is a part of one, so they are never written again. */
  readonly #blocks = new Map<number, Buffer>();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** The line without its end; null: it has to be read. */
  held(row: FoundRow): Buffer | null {
    const number = Math.floor(row.offset / blockBytes);
    const block = this.#blocks.get(number);
    return block === undefined ? null : rowIn(block, row.offset - number * blockBytes, row);
  }

  /** Null: it is not there any more. */
  async read(row: FoundRow): Promise<Buffer | null> {
    const { offset, length } = row;
    const number = Math.floor(offset / blockBytes);
    const from = offset - number * blockBytes;
    // One that ends in another block, or is there but not as it was.
    if (from + length >= blockBytes || this.#blocks.has(number))
      return rowIn(await this.#bytes(offset, length + 1), 0, row);
    const block = await this.#bytes(number * blockBytes, blockBytes);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size >= mostBlocks && oldest !== undefined) this.#blocks.delete(oldest);
    this.#blocks.set(number, block);
    return rowIn(block, from, row);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #bytes(offset: number, size: number): Promise<Buffer> {
    const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(size), 0, size, offset);
    return buffer.subarray(0, bytesRead);
  }
}

function rowIn(block: Buffer, from: number, { id, length }: FoundRow): Buffer | null {
  const isThere = block[from + length] === newline && hasId(block, from, id);
  return isThere ? block.subarray(from, from + length) : null;
}
