import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Target, Violation } from "./target.js";

export interface Failure {
  /** The error's name and message. */
  readonly message: string;
  /** The same for failures that are alike. */
  readonly signature: string;
  readonly stack: string;
}

/** What a parser may take at once, whatever it gets, and for each byte that it gets. */
const freeBytes = 64 * 1024 * 1024;
const bytesPerByte = 1024;

/** Null: all that must hold does. */
export async function attempt(target: Target, bytes: Buffer): Promise<Failure | null> {
  const before = memory();
  try {
    // A promise that is not there need not be waited for, a hundred thousand times.
    const checked = target.check(bytes);
    if (checked !== undefined) await checked;
  } catch (error) {
    return failureOf(error);
  }
  const taken = memory() - before;
  if (taken <= freeBytes + bytesPerByte * bytes.length) return null;
  const megabytes = Math.round(taken / 1024 / 1024);
  // Or what goes away while the next input is tried would hide what that one takes.
  collectGarbage();
  return failureOf(new Violation(`memory out of proportion: ${megabytes} MB for ${bytes.length} bytes`));
}

function memory(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function failureOf(error: unknown): Failure {
  const thrown = error instanceof Error ? error : new TypeError(`threw ${String(error)}`);
  const { name, message, stack = "" } = thrown;
  return { message: `${name}: ${message}`, signature: signatureOf(thrown), stack };
}

/** Ours by what they say, up to the values that differ; all others by where they come from, as they quote the input. */
function signatureOf(error: Error): string {
  if (error instanceof Violation) return `${error.name}: ${error.message.split(": ", 1)[0]}`;
  const place = /^ +at (?:async )?([\w.<>#]+) .*\/packages\/(\S+?)[:)]/m.exec(error.stack ?? "");
  return place === null ? error.name : `${error.name} in ${place[1]}, ${place[2]}`;
}
