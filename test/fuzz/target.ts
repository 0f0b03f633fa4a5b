import type { Random } from "./random.js";

/** One parser, and what must hold of it whatever bytes it gets. */
export interface Target {
  readonly name: string;
  /** Good inputs and some that are nearly good; all others are made from these. */
  readonly seeds: () => readonly Buffer[];
  /** Texts that mean something to this parser. */
  readonly words?: readonly string[];
  /** Default 65,536. */
  readonly mostBytes?: number;
  /** Changes what stands in the input and leaves its outer form whole. */
  readonly reshape?: (random: Random, bytes: Buffer) => Buffer;
  /** Of the runs in the test suite; default 1. */
  readonly share?: number;
  /** Throws what is wrong. Must not keep or change the bytes. */
  readonly check: (bytes: Buffer) => void | Promise<void>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- as `instanceof` takes them, whatever their constructors want
type ErrorClass = abstract new (...args: any[]) => Error;

/** What `parse` answers; undefined when it throws one of the errors that it says it throws. Any other error passes through. */
export function unlessRefused<Value>(refusal: ErrorClass, parse: () => Value): Value | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof refusal)) throw error;
    if (error.message.trim() === "") throw new Violation("it refuses without a word", { cause: error });
    return undefined;
  }
}

/** A property that does not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
}

export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Violation(what);
}

/** Throws a `Violation` unless both show the same in JSON, with bytes and odd numbers told apart. */
export function mustEqual(got: unknown, wanted: unknown, what: string): void {
  const [one, other] = [canonical(got), canonical(wanted)];
  if (one !== other) throw new Violation(`${what}: ${short(one)} is not ${short(other)}`);
}

function canonical(value: unknown): string {
  return JSON.stringify({ value }, function show(this: Record<string, unknown>, key, shown: unknown) {
    // As it was before Buffer's own `toJSON`.
    const each = key === "" ? shown : this[key];
    if (each instanceof Uint8Array) return `bytes ${Buffer.from(each).toString("latin1")}`;
    if (typeof each === "number" && !Number.isFinite(each)) return `number ${each}`;
    return each === undefined ? "undefined" : each;
  });
}

function short(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
