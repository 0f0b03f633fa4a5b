import { MalformedMessageError } from "../errors.js";
import { type NeedsKey, needsKey, parseNeedsKey } from "../protocol/index.js";

// What our own scripts answer, checked once, where it enters.

function malformed(wanted: string, reply: unknown): MalformedMessageError {
  return new MalformedMessageError(
    "answer of the key-value store",
    `${wanted} expected, got ${typeof reply}`,
  );
}

export function asNumber(reply: unknown): number {
  if (typeof reply === "number") return reply;
  throw malformed("a number", reply);
}

export function asBuffer(reply: unknown): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  throw malformed("bytes", reply);
}

export function asText(reply: unknown): string {
  return asBuffer(reply).toString("utf8");
}

export function asArray(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw malformed("an array", reply);
}

const knownNeeds = new Map<string, NeedsKey>();

/** A run has few distinct needs, and each task names one. */
export function asNeedsKey(text: string): NeedsKey {
  let key = knownNeeds.get(text);
  if (key !== undefined) return key;
  try {
    key = needsKey(parseNeedsKey(text));
  } catch (cause) {
    throw new MalformedMessageError("needs", JSON.stringify(text.slice(0, 50)), { cause });
  }
  knownNeeds.set(text, key);
  return key;
}
