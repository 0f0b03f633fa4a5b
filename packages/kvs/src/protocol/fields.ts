import { MalformedMessageError } from "../errors.js";
import { unpack } from "./codec.js";

/**
 * Checked access to the fields of a message that is an array. For the two messages that pass once or more per task: a schema
 * library takes ten times as long for them. Everything throws `MalformedMessageError`.
 */
export class Fields {
  readonly #what: string;
  readonly #values: readonly unknown[];

  constructor(what: string, bytes: Uint8Array, count: number) {
    const value = unpack(what, bytes);
    if (!Array.isArray(value) || value.length !== count) {
      throw new MalformedMessageError(what, `it is not an array of ${count}`);
    }
    this.#what = what;
    this.#values = value;
  }

  int(index: number): number {
    const value = this.#values[index];
    return typeof value === "number" && Number.isInteger(value)
      ? value
      : this.#refuse(index, "a whole number");
  }

  /** One of the kinds that the message numbers from 0. */
  oneOf<Kind>(index: number, kinds: readonly Kind[]): Kind {
    const value = this.#values[index];
    const kind = typeof value === "number" ? kinds[value] : undefined;
    return kind ?? this.#refuse(index, `a number below ${kinds.length}`);
  }

  number(index: number): number {
    const value = this.#values[index];
    return typeof value === "number" ? value : this.#refuse(index, "a number");
  }

  text(index: number): string {
    const value = this.#values[index];
    return typeof value === "string" ? value : this.#refuse(index, "text");
  }

  /** Null stands for none: most streams are empty, and every array of bytes costs. */
  bytes(index: number): Uint8Array {
    const value = this.#values[index];
    if (value === null) return noBytes;
    return value instanceof Uint8Array ? value : this.#refuse(index, "bytes");
  }

  #refuse(index: number, wanted: string): never {
    throw new MalformedMessageError(this.#what, `field ${index} is not ${wanted}`);
  }
}

/** As `Fields.bytes` reads it. */
export function orNull(bytes: Uint8Array): Uint8Array | null {
  return bytes.length === 0 ? null : bytes;
}

const noBytes = new Uint8Array(0);
