/** Bytes put together piece by piece, for what passes once or more per task: as text it would be made twice. */
export class ByteWriter {
  #bytes: Buffer;
  #at = 0;

  /** `expected`: bytes that there will be, about. */
  constructor(expected: number) {
    this.#bytes = Buffer.allocUnsafe(expected);
  }

  /** So many bytes have been written. */
  get length(): number {
    return this.#at;
  }

  /** What has been written; not copied, so it holds until `clear`. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.#at = 0;
  }

  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = byte;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** `bytes[from..to)`. */
  part(bytes: Uint8Array, from: number, to: number): void {
    const size = to - from;
    this.#reserve(size);
    // A view costs less than a Buffer's.
    this.#bytes.set(new Uint8Array(bytes.buffer, bytes.byteOffset + from, size), this.#at);
    this.#at += size;
  }

  /** As UTF-8; fast when it is ASCII. */
  text(text: string): void {
    const { length } = text;
    this.#reserve(3 * length);
    const bytes = this.#bytes;
    const at = this.#at;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) {
        this.#at = at + bytes.write(text, at);
        return;
      }
      bytes[at + index] = code;
    }
    this.#at = at + length;
  }

  /** Four bytes, most significant first. */
  uint32(value: number): void {
    this.#reserve(4);
    this.#at += 4;
    this.setUint32(this.#at - 4, value);
  }

  /** Puts a byte in the place of another. */
  setByte(at: number, byte: number): void {
    this.#bytes[at] = byte;
  }

  /** Puts four bytes in the place of others. */
  setUint32(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  /** A whole number in decimal digits. */
  int(value: number): void {
    if (value >= 0 && value < 10) return this.byte(zero + value);
    if (value < 0) {
      this.byte(minus);
      return this.int(-value);
    }
    if (value > mostInt32) return this.text(String(value));
    let count = 2;
    for (let limit = 100; limit <= value; limit *= 10) count++;
    this.digits(value, count);
  }

  /** The last `count` decimal digits of a whole number below 2^31. */
  digits(value: number, count: number): void {
    this.#reserve(count);
    const bytes = this.#bytes;
    const from = this.#at;
    // As 32 bits, for which a division costs next to nothing.
    let left = value | 0;
    for (let at = from + count - 1; at >= from; at--) {
      const tenth = (left / 10) | 0;
      bytes[at] = zero + left - tenth * 10;
      left = tenth;
    }
    this.#at = from + count;
  }

  #reserve(size: number): void {
    if (this.#at + size > this.#bytes.length) this.#grow(size);
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafe(2 * (this.#at + size));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

const zero = 0x30;
const minus = 0x2d;
const mostInt32 = 0x7fffffff;
