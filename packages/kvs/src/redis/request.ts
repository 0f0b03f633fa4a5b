import { Command } from "ioredis";
import type { ByteWriter } from "../protocol/index.js";

export type Argument = string | number | Uint8Array;

/** Writes a request as the server reads it (RESP): an array of byte strings. */
export function writeRequest(writer: ByteWriter, parts: readonly Argument[]): void {
  writer.byte(asterisk);
  writer.int(parts.length);
  writer.text(lineEnd);
  for (const part of parts) {
    const value = typeof part === "number" ? String(part) : part;
    writer.byte(dollar);
    writer.int(typeof value === "string" ? Buffer.byteLength(value) : value.length);
    writer.text(lineEnd);
    if (typeof value === "string") writer.text(value);
    else writer.bytes(value);
    writer.text(lineEnd);
  }
}

/** One that has been written already: ioredis would look at each argument several times, and copy what is large twice. */
export class WrittenCommand extends Command {
  readonly #bytes: Buffer;

  /** `bytes` must stay as they are until there is an answer. The reply is bytes, too. */
  constructor(name: string, bytes: Buffer) {
    super(name, [], { replyEncoding: null });
    this.#bytes = bytes;
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}

const asterisk = 0x2a;
const dollar = 0x24;
const lineEnd = "\r\n";
