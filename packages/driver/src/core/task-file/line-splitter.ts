import { carriageReturn, lineFeed } from "./ascii.js";

const none: Buffer = Buffer.alloc(0);
/** A buffer for a line longer than this is let go after use. */
const keptBytes = 1024 * 1024;

/** A line with more bytes is none of a list of commands, and is not held: the kernel takes a five-hundredth of that. */
const mostLineBytes = 64 * 1024 * 1024;

/**
 * `crlf`: the line before ended in `\r\n`; comes after that line, for the `\r` alone had ended it. `tooLong`: a line has more than
 * `mostLineBytes`; there is no going on.
 */
export type Cut = "line" | "crlf" | "needMore" | "end" | "tooLong";

/**
 * Cuts bytes that come in pieces into lines at `\n`, `\r\n` and a lone `\r`. A line is there as soon as its end has arrived. Holds
 * what was fed and not yet read, and one line.
 */
export class LineSplitter {
  /** The line that `next` has found is `bytes[start..end)`, until the next call. */
  bytes: Buffer = none;
  start = 0;
  end = 0;
  /** The physical line in which it stands, from 1. */
  number = 0;

  #chunk: Buffer = none;
  #at = 0;
  /** The first `\n` and `\r` of the chunk from `#at`, or its length; stale when less than `#at`. */
  #lineFeedAt = -1;
  #carriageReturnAt = -1;
  readonly #waiting: Buffer[] = [];
  #ended = false;

  #partial: Buffer = none;
  #partialBytes = 0;
  #afterCarriageReturn = false;
  #lineFeeds = 0;
  #sinceLineFeed = false;

  /** Physical lines that have begun. */
  get lines(): number {
    return this.#lineFeeds + (this.#sinceLineFeed || this.#partialBytes > 0 ? 1 : 0);
  }

  /** The bytes must not be changed before `next` has said `needMore`. */
  feed(chunk: Uint8Array): void {
    if (chunk.byteLength > 0)
      this.#waiting.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  }

  finish(): void {
    this.#ended = true;
  }

  next(): Cut {
    for (;;) {
      if (this.#at === this.#chunk.length && !this.#nextChunk())
        return this.#ended ? this.#last() : "needMore";
      if (this.#afterCarriageReturn) {
        this.#afterCarriageReturn = false;
        if (this.#chunk[this.#at] !== lineFeed) continue;
        this.#at++;
        this.#countLineFeed();
        return "crlf";
      }
      if (this.#lineFeedAt < this.#at) this.#lineFeedAt = this.#find(lineFeed);
      if (this.#carriageReturnAt < this.#at) this.#carriageReturnAt = this.#find(carriageReturn);
      if (this.#lineFeedAt < this.#carriageReturnAt) {
        this.#cutAt(this.#lineFeedAt);
        this.#countLineFeed();
        return this.#lineOrTooLong();
      }
      if (this.#carriageReturnAt < this.#chunk.length) {
        this.#cutAt(this.#carriageReturnAt);
        this.#afterCarriageReturn = true;
        this.#sinceLineFeed = true;
        return this.#lineOrTooLong();
      }
      this.#keep(this.#chunk.length);
      if (this.#partialBytes > mostLineBytes) {
        this.#last();
        return "tooLong";
      }
    }
  }

  #lineOrTooLong(): Cut {
    return this.end - this.start > mostLineBytes ? "tooLong" : "line";
  }

  #nextChunk(): boolean {
    const chunk = this.#waiting.shift();
    this.#chunk = chunk ?? none;
    this.#at = 0;
    this.#lineFeedAt = -1;
    this.#carriageReturnAt = -1;
    return chunk !== undefined;
  }

  #find(byte: number): number {
    const at = this.#chunk.indexOf(byte, this.#at);
    return at === -1 ? this.#chunk.length : at;
  }

  #countLineFeed(): void {
    this.#lineFeeds++;
    this.#sinceLineFeed = false;
  }

  #cutAt(end: number): void {
    this.number = this.#lineFeeds + 1;
    if (this.#partialBytes > 0) {
      this.#keep(end);
      this.#takePartial();
    } else {
      this.bytes = this.#chunk;
      this.start = this.#at;
      this.end = end;
    }
    this.#at = end + 1;
  }

  /** The last line may lack its end. */
  #last(): Cut {
    if (this.#partialBytes === 0) return "end";
    this.number = this.#lineFeeds + 1;
    this.#takePartial();
    this.#sinceLineFeed = true;
    return "line";
  }

  #takePartial(): void {
    this.bytes = this.#partial;
    this.start = 0;
    this.end = this.#partialBytes;
    this.#partialBytes = 0;
    if (this.#partial.length > keptBytes) this.#partial = none;
  }

  #keep(end: number): void {
    const size = this.#partialBytes + end - this.#at;
    if (size > this.#partial.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(256, size, 2 * this.#partial.length));
      this.#partial.copy(larger, 0, 0, this.#partialBytes);
      this.#partial = larger;
    }
    this.#chunk.copy(this.#partial, this.#partialBytes, this.#at, end);
    this.#partialBytes = size;
    this.#at = end;
  }
}
