import { MalformedMessageError } from "../errors.js";

/*
 * For the two messages that pass once or more per task: numbers at fixed places, most significant byte first, and after them the
 * byte strings whose lengths are among the numbers. A fraction of what msgpack takes.
 */

/** Messages come in batches that share one buffer, and to make a view of that costs more than to read a message. */
let lastView: DataView = new DataView(new ArrayBuffer(0));

/** Of all that lies in the same buffer: `bytes` begin at `bytes.byteOffset`. */
export function viewOf(bytes: Uint8Array): DataView {
  if (lastView.buffer !== bytes.buffer) lastView = new DataView(bytes.buffer);
  return lastView;
}

/** Reads the numbers of one message. Everything throws `MalformedMessageError`. */
export class FixedFields {
  readonly #what: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #from: number;

  /** `size`: bytes before the byte strings. */
  constructor(what: string, bytes: Uint8Array, size: number) {
    if (bytes.length < size) throw new MalformedMessageError(what, `it is shorter than ${size} bytes`);
    this.#what = what;
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#from = bytes.byteOffset;
  }

  uint16(at: number): number {
    return this.#view.getUint16(this.#from + at);
  }

  uint32(at: number): number {
    return this.#view.getUint32(this.#from + at);
  }

  int32(at: number): number {
    return this.#view.getInt32(this.#from + at);
  }

  /** Of at most fifteen digits before the point: no more are read again from a file. */
  float64(at: number): number {
    const value = this.#view.getFloat64(this.#from + at);
    return value > -mostValue && value < mostValue ? value : this.#refuse(at, `a number below ${mostValue}`);
  }

  /** A whole number of a range that only a float64 has. */
  int(at: number): number {
    const value = this.#view.getFloat64(this.#from + at);
    return Number.isSafeInteger(value) ? value : this.#refuse(at, "a whole number");
  }

  /** A whole number from 0 on, of at most fifteen digits too. */
  count(at: number): number {
    const value = this.#view.getFloat64(this.#from + at);
    return Number.isInteger(value) && value >= 0 && value <= mostValue
      ? value
      : this.#refuse(at, "a whole number from 0 on");
  }

  /** One of the kinds that the message numbers from 0. */
  oneOf<Kind>(at: number, kinds: readonly Kind[]): Kind {
    return kinds[this.#view.getUint8(this.#from + at)] ?? this.#refuse(at, `a number below ${kinds.length}`);
  }

  /** All that is not before `at` is not there. */
  expectEnd(at: number): void {
    if (this.#bytes.length !== at)
      throw new MalformedMessageError(this.#what, `it has ${this.#bytes.length} bytes, not ${at}`);
  }

  /** Not copied. Most are empty, and every array of bytes costs. */
  part(from: number, to: number): Uint8Array {
    return from === to ? noBytes : this.#bytes.subarray(from, to);
  }

  #refuse(at: number, wanted: string): never {
    throw new MalformedMessageError(this.#what, `what is at byte ${at} is not ${wanted}`);
  }
}

const noBytes = new Uint8Array(0);
const mostValue = 999_999_999_999_999;
