import type { Outcome } from "@taskmuster/kvs/protocol";
import { emptyDigest, streamDigest } from "../core/output-digest.js";
import { startFailureDigest } from "../core/start-failure.js";
import { LaunchError } from "./launch-error.js";
import { cpuMask } from "./cpu-mask.js";
import type { LaunchPlace, LaunchRequest, LaunchResult, Timeout } from "./launcher.js";

// The frames between us and launcher.pl, see perl/main.pl: length of what follows (32 bits), one letter, contents; big-endian.
// Texts carry their length before them, so that nothing in a task's text can be taken for a frame.

/** Version that the script answers with; it travels with us, so another one is our bug. */
export const scriptVersion = 3;

export type Message =
  | { readonly kind: "hello"; readonly version: number; readonly now: number }
  | { readonly kind: "started"; readonly tag: number; readonly pid: number }
  | { readonly kind: "ended"; readonly result: LaunchResult }
  | { readonly kind: "recalled"; readonly tags: readonly number[] }
  | { readonly kind: "fenced" };

function frame(letter: string, length: number): { readonly bytes: Buffer; readonly at: number } {
  const bytes = Buffer.allocUnsafe(5 + length);
  bytes.writeUInt32BE(1 + length, 0);
  bytes.write(letter, 4, "latin1");
  return { bytes, at: 5 };
}

/** The first frame; it is answered by hello. `nonce`: what the marks of tasks begin with, after `inheritedMark`. */
export function configFrame(nonce: string, inheritedMark: string): Buffer {
  const { bytes, at } = frame("C", 4 + nonce.length + Buffer.byteLength(inheritedMark));
  const next = bytes.writeUInt32BE(nonce.length, at);
  bytes.write(inheritedMark, next + bytes.write(nonce, next, "latin1"));
  return bytes;
}

/** What a slot gives beside its variables, and whether these replace some of the launcher's own. */
const [replacesOurs, isPinned] = [1, 2];

/** The slots in order, for what is enqueued. `ownNames`: of the variables that the launcher itself has. */
export function slotsFrame(slots: readonly LaunchPlace[], ownNames: ReadonlySet<string>): Buffer {
  const parts = slots.map(({ env, cpus }) => {
    const mask = cpus === undefined ? null : cpuMask(cpus);
    const flags = (mask === null ? 0 : isPinned) | (replacesAny(env, ownNames) ? replacesOurs : 0);
    return Buffer.concat([
      Buffer.from([flags]),
      counted(mask === null ? Buffer.alloc(0) : counted(mask)),
      counted(
        Buffer.concat(Object.entries(env).map(([name, value]) => counted(Buffer.from(`${name}=${value}`)))),
      ),
    ]);
  });
  const { bytes, at } = frame(
    "P",
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  Buffer.concat(parts).copy(bytes, at);
  return bytes;
}

function counted(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function replacesAny(env: Readonly<Record<string, string>>, ownNames: ReadonlySet<string>): boolean {
  return Object.keys(env).some((name) => ownNames.has(name));
}

/** `when`: at once, in no slot; or as soon as a slot is free. */
export function launchFrame(
  when: "now" | "inSlot",
  { tag, command, env }: LaunchRequest,
  ownNames: ReadonlySet<string>,
): Buffer {
  let environment = 0;
  let flags = 0;
  for (const name in env) {
    environment += 4 + Buffer.byteLength(name) + 1 + Buffer.byteLength(env[name] ?? "");
    if (ownNames.has(name)) flags = replacesOurs;
  }
  const { bytes, at } = frame(when === "now" ? "L" : "Q", 9 + environment + command.length);
  let next = bytes.writeUInt32BE(tag, at);
  next = bytes.writeUInt8(flags, next);
  next = bytes.writeUInt32BE(environment, next);
  for (const name in env) {
    const written = bytes.write(`${name}=${env[name] ?? ""}`, next + 4, "utf8");
    next = bytes.writeUInt32BE(written, next) + written;
  }
  bytes.set(command, next);
  return bytes;
}

/** Goes before the launch of a task that may only run for so long. */
export function timeoutFrame(tag: number, { afterMs, graceMs }: Timeout): Buffer {
  const { bytes, at } = frame("T", 20);
  const next = bytes.writeDoubleBE(afterMs / 1000, bytes.writeUInt32BE(tag, at));
  bytes.writeDoubleBE(graceMs / 1000, next);
  return bytes;
}

export function recallFrame(): Buffer {
  return frame("R", 0).bytes;
}

export function stopFrame(tag: number, graceMs: number): Buffer {
  const { bytes, at } = frame("S", 8);
  bytes.writeUInt32BE(Math.min(0xffffffff, Math.max(0, Math.ceil(graceMs))), bytes.writeUInt32BE(tag, at));
  return bytes;
}

/** `at`: seconds by the script's monotonic clock. */
export function deadlineFrame(atSeconds: number): Buffer {
  const { bytes, at } = frame("D", 8);
  bytes.writeDoubleBE(atSeconds, at);
  return bytes;
}

/** Takes bytes as they come and answers the whole messages among them. Throws `LaunchError` on what the script never sends. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  read(chunk: Buffer): Message[] {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: Message[] = [];
    while (bytes.length >= 4) {
      const length = bytes.readUInt32BE(0);
      if (length > mostFrameBytes)
        throw new LaunchError(`the launcher announced a message of ${length} bytes`);
      if (bytes.length < 4 + length) break;
      messages.push(parsed(bytes.subarray(4, 4 + length)));
      bytes = bytes.subarray(4 + length);
    }
    this.#rest = bytes;
    return messages;
  }
}

/** Many times what the longest message has, the list of what was recalled. */
const mostFrameBytes = 16 * 1024 * 1024;

function parsed(bytes: Buffer): Message {
  try {
    return parse(bytes);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new LaunchError(`the launcher sent a message that is cut short (${bytes.length} bytes)`, { cause });
  }
}

/** Throws a `RangeError` when it is too short. */
function parse(bytes: Buffer): Message {
  const letter = String.fromCharCode(bytes[0] ?? 0);
  switch (letter) {
    case "H":
      return { kind: "hello", version: bytes.readUInt8(1), now: bytes.readDoubleBE(2) };
    case "B":
      return { kind: "started", tag: bytes.readUInt32BE(1), pid: bytes.readUInt32BE(5) };
    case "E":
      return { kind: "ended", result: parseEnd(bytes) };
    case "R":
      return {
        kind: "recalled",
        tags: Array.from({ length: (bytes.length - 1) / 4 }, (_, index) => bytes.readUInt32BE(1 + 4 * index)),
      };
    case "F":
      return { kind: "fenced" };
    default:
      throw new LaunchError(`the launcher sent an unknown message (${JSON.stringify(letter)})`);
  }
}

const headerBytes = 1 + 4 + 4 + 1 + 1 + 4 + 3 * 8;

function parseEnd(bytes: Buffer): LaunchResult {
  const kind = bytes.readUInt8(9);
  const stopped = bytes.readUInt8(10) === 1;
  const value = bytes.readUInt32BE(11);
  let at = headerBytes;
  const count = (): number => {
    at += 8;
    return bytes.readDoubleBE(at - 8);
  };
  // Copies, as the chunk of the pipe is much longer than what is kept of it.
  const text = (): Uint8Array => {
    const from = at + 2;
    at = from + bytes.readUInt16BE(at);
    if (at > bytes.length) throw new RangeError("a text is cut short");
    return new Uint8Array(bytes.subarray(from, at));
  };
  const out = streamDigest(count(), text(), text());
  const errBytes = count();
  const errHead = text();
  const errTail = text();
  const outcome = outcomeOf(kind, value);
  const failed = outcome.kind !== "exited" || outcome.code !== 0;
  return {
    tag: bytes.readUInt32BE(1),
    outcome,
    stopped,
    pid: outcome.kind === "failedToStart" ? -1 : bytes.readInt32BE(5),
    start: bytes.readDoubleBE(15),
    end: bytes.readDoubleBE(23),
    elapsed: bytes.readDoubleBE(31),
    out,
    ...(outcome.kind === "failedToStart"
      ? startFailureDigest(outcome.errno, kind === execFailed ? "exec" : "fork")
      : {
          err: streamDigest(errBytes, errHead, errTail),
          lastWords: failed ? errTail : emptyDigest.snippet,
        }),
  };
}

/** Kinds of end on the wire, see perl/tasks.pl. */
const [exited, signalled, execFailed, forkFailed, timedOut] = [0, 1, 3, 4, 5];

function outcomeOf(kind: number, value: number): Outcome {
  switch (kind) {
    case exited:
      return { kind: "exited", code: value };
    case signalled:
      return { kind: "signalled", signal: value };
    case timedOut:
      return { kind: "timedOut", signal: value };
    case execFailed:
    case forkFailed:
      return { kind: "failedToStart", errno: value };
    default:
      return { kind: "lost" };
  }
}
