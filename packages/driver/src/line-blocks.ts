import type { FileHandle } from "node:fs/promises";

/** Some of a file's bytes, of which the next block takes the place. */
export interface LineBlock {
  readonly bytes: Buffer;
  /** Where in the file they begin. */
  readonly offset: number;
  /** Up to here they are whole lines, newline included. */
  readonly end: number;
}

/**
 * Reads a file in large blocks, for who goes through its lines: the next block is read while one looks at this one. What is left behind
 * the last newline of a block comes again before the next one.
 */
export class LineBlocks {
  /** What has come of a line that is not whole. */
  rest: Buffer = Buffer.alloc(0);
  readonly #file: FileHandle;
  #buffer = Buffer.allocUnsafe(mostLeft + blockBytes);
  #other = Buffer.allocUnsafe(mostLeft + blockBytes);
  #position = 0;
  #reading: Promise<number>;

  constructor(file: FileHandle) {
    this.#file = file;
    this.#reading = this.#read();
  }

  /** Null: the file is at its end. Rejects as reading does. */
  async next(): Promise<LineBlock | null> {
    const size = await this.#reading;
    if (size === 0) return null;
    const buffer = this.#buffer;
    const { length } = this.rest;
    let bytes: Buffer;
    if (length <= mostLeft) {
      this.rest.copy(buffer, mostLeft - length);
      bytes = buffer.subarray(mostLeft - length, mostLeft + size);
    } else bytes = Buffer.concat([this.rest, buffer.subarray(mostLeft, mostLeft + size)]);
    const offset = this.#position - length;
    this.#position += size;
    this.#buffer = this.#other;
    this.#other = buffer;
    this.#reading = this.#read();
    const end = bytes.lastIndexOf(newline) + 1;
    this.rest = bytes.subarray(end);
    return { bytes, offset, end };
  }

  /** Nobody wants what is there of a line any more: what comes next of it is taken for the beginning of one. */
  forgetRest(): void {
    this.rest = this.rest.subarray(this.rest.length);
  }

  #read(): Promise<number> {
    const reading = this.#file
      .read(this.#buffer, mostLeft, blockBytes, this.#position)
      .then(({ bytesRead }) => bytesRead);
    // Who stops looking before the end does not hear of it.
    reading.catch(() => undefined);
    return reading;
  }
}

const newline = 10;
/** Each read wakes another thread, which costs more than the bytes. */
const blockBytes = 1024 * 1024;
/** Longer lines are copied once more. */
const mostLeft = 64 * 1024;
