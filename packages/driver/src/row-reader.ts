import type { FileHandle } from "node:fs/promises";
import type { FoundRow } from "./core/resume-index.js";
import { hasId } from "./core/row-scanner.js";

/**
 * Fetches rows from a status file, by the place where they were found. Reads blocks, and keeps some, as rows are mostly asked for about in
 * the order in which they stand; so the next one is read before somebody waits for it.
 */
export class RowReader {
  /** Where the row stands that was asked for last: its line is `bytes[from..from + length)`, and may be given another flag there. */
  bytes: Buffer = Buffer.alloc(0);
  from = 0;
  readonly #file: FileHandle;
  /** By their number, oldest first. What is read takes the memory of the oldest. */
  readonly #blocks = new Map<number, Buffer>();
  #spare: ArrayBufferLike | null = null;
  #ahead: { readonly number: number; readonly block: Promise<Buffer | null> } | null = null;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** False: it has to be read. */
  find(row: FoundRow): boolean {
    const number = Math.floor(row.offset / blockBytes);
    const block = this.#blocks.get(number);
    return block !== undefined && this.#lookAt(block, row.offset - number * blockBytes, row);
  }

  /** False: it is not there any more. */
  async read(row: FoundRow): Promise<boolean> {
    const { offset, length } = row;
    const number = Math.floor(offset / blockBytes);
    const from = offset - number * blockBytes;
    // One that is longer than blocks overlap, or is there but not as it was.
    if (from + length >= blockBytes + overlapBytes || this.#blocks.has(number))
      return this.#lookAt(await this.#bytes(offset, Buffer.alloc(length + 1)), 0, row);
    const ahead = this.#ahead?.number === number ? await this.#ahead.block : null;
    const block = ahead ?? (await this.#block(number));
    this.#letOldestGo();
    this.#blocks.set(number, block);
    // Who does not ask for it does not hear that it could not be read.
    if (!this.#blocks.has(number + 1))
      this.#ahead = { number: number + 1, block: this.#block(number + 1).catch(() => null) };
    return this.#lookAt(block, from, row);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #letOldestGo(): void {
    const [oldest] = this.#blocks;
    if (this.#blocks.size < mostBlocks || oldest === undefined) return;
    const [number, block] = oldest;
    this.#blocks.delete(number);
    this.#spare = block.buffer;
  }

  #block(number: number): Promise<Buffer> {
    const memory = this.#spare ?? new ArrayBuffer(blockBytes + overlapBytes);
    this.#spare = null;
    return this.#bytes(number * blockBytes, Buffer.from(memory));
  }

  async #bytes(offset: number, into: Buffer): Promise<Buffer> {
    const { bytesRead } = await this.#file.read(into, 0, into.length, offset);
    return into.subarray(0, bytesRead);
  }

  #lookAt(bytes: Buffer, from: number, { id, length }: FoundRow): boolean {
    this.bytes = bytes;
    this.from = from;
    return bytes[from + length] === newline && hasId(bytes, from, id);
  }
}

const newline = 10;
const blockBytes = 512 * 1024;
/** Most rows that begin in a block end here. */
const overlapBytes = 32 * 1024;
/** Tasks end in another order than they stand in the list, but not in quite another one. */
const mostBlocks = 16;
