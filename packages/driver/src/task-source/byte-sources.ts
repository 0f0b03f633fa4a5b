import { closeSync, fstatSync, read } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Socket } from "node:net";
import { isatty, ReadStream } from "node:tty";
import { promisify } from "node:util";
import { codeOf } from "../status-file.js";
import type { ByteSource } from "./parsed-source.js";

const readFd = promisify(read);
const chunkBytes = 256 * 1024;
const newline = 10;

/** A file or device whose reads do not wait for anybody, read from where it stands. */
export class FileBytes implements ByteSource {
  readonly #fd: number;
  #left: number;
  readonly #buffer = Buffer.allocUnsafe(chunkBytes);
  #closed = false;

  /** `upTo`: so many bytes of it. */
  constructor(fd: number, upTo = Infinity) {
    this.#fd = fd;
    this.#left = upTo;
  }

  async next(): Promise<Uint8Array | null> {
    if (this.#closed) return null;
    const { bytesRead } = await readFd(this.#fd, this.#buffer, 0, Math.min(chunkBytes, this.#left), null);
    this.#left -= bytesRead;
    return bytesRead === 0 ? null : this.#buffer.subarray(0, bytesRead);
  }

  close(): Promise<void> {
    if (!this.#closed) closeSync(this.#fd);
    this.#closed = true;
    return Promise.resolve();
  }
}

/** Chooses by what the descriptor is. */
export function bytesOf(fd: number): ByteSource {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket() || isatty(fd) ? new StreamBytes(fd) : new FileBytes(fd);
}

/**
 * A pipe, a socket or a terminal. Through the event loop, not the thread pool: a read that waits for a writer
 * must not keep the process from ending.
 */
class StreamBytes implements ByteSource {
  readonly #stream: Socket;
  #wake: () => void = () => undefined;
  #ended = false;
  #error: Error | null = null;

  constructor(fd: number) {
    this.#stream = isatty(fd) ? new ReadStream(fd) : new Socket({ fd, readable: true, writable: false });
    this.#stream.pause();
    this.#stream.on("readable", () => this.#wake());
    this.#stream.on("end", () => this.#end(null));
    this.#stream.on("close", () => this.#end(null));
    this.#stream.on("error", (error) => this.#end(error));
  }

  async next(): Promise<Uint8Array | null> {
    for (;;) {
      const chunk: unknown = this.#stream.read();
      if (chunk instanceof Uint8Array) return chunk;
      if (this.#error !== null) throw this.#error;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): Promise<void> {
    this.#stream.destroy();
    return Promise.resolve();
  }

  #end(error: Error | null): void {
    this.#ended = true;
    this.#error ??= error;
    this.#wake();
  }
}

/**
 * Keeps every byte in a file before it is used, so that a list that came as a stream can be run again. The file
 * comes into being with the first byte; its name is the first of `path`, `path_1`, … that is free.
 */
export class SpooledBytes implements ByteSource {
  readonly #source: ByteSource;
  readonly #base: string;
  #spool: FileHandle | null = null;
  #path: string | null = null;
  #last = newline;
  #closed = false;

  constructor(source: ByteSource, path: string) {
    this.#source = source;
    this.#base = path;
  }

  /** Null before the first byte. */
  get path(): string | null {
    return this.#path;
  }

  async next(): Promise<Uint8Array | null> {
    const chunk = await this.#source.next();
    if (chunk === null) {
      // So that a last line that was cut off can be told from one that just had no end.
      if (this.#last !== newline && !this.#closed) await this.#spool?.appendFile("\n");
      this.#last = newline;
      return null;
    }
    this.#spool ??= await this.#open();
    await this.#spool.appendFile(chunk);
    this.#last = chunk.at(-1) ?? this.#last;
    return chunk;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#source.close();
    await this.#spool?.close().catch(() => undefined);
    this.#spool = null;
  }

  async #open(): Promise<FileHandle> {
    for (let count = 0; ; count++) {
      const path = count === 0 ? this.#base : `${this.#base}_${count}`;
      try {
        const file = await open(path, "wx", 0o600);
        this.#path = path;
        return file;
      } catch (error) {
        if (codeOf(error) !== "EEXIST") throw error;
      }
    }
  }
}
