import { readFileSync } from "node:fs";
import { markVariable } from "./process-tree.js";

/**
 * The environment to start another interpreter with, and what it has to put back before it starts tasks: variables that would
 * change how perl itself runs (PERL5LIB of a module system with another perl's libraries), and those that Node cannot
 * carry because they are not UTF-8.
 */
export function launcherEnvironment(): {
  readonly env: NodeJS.ProcessEnv;
  readonly names: ReadonlySet<string>;
  /** The mark of the task that we are ourselves part of; empty outside one. It is not in `env`. */
  readonly inheritedMark: string;
  /** Names and values in turn, each after its length (32 bits, big-endian). */
  readonly restored: Buffer;
} {
  const env: NodeJS.ProcessEnv = {};
  const restored: Array<readonly [Uint8Array, Uint8Array]> = [];
  const names = new Set<string>();
  let exact: ReadonlyMap<string, readonly [Uint8Array, Uint8Array]> | null = null;
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined || name === markVariable) continue;
    names.add(name);
    if (name === "LC_ALL") {
      restored.push([Buffer.from(name), Buffer.from(value)]);
    } else if (name.includes("\uFFFD") || value.includes("\uFFFD")) {
      exact ??= exactEnvironment();
      restored.push(exact.get(`${name}=${value}`) ?? [Buffer.from(name), Buffer.from(value)]);
    } else if (name.startsWith("PERL")) {
      restored.push([Buffer.from(name), Buffer.from(value)]);
    } else {
      env[name] = value;
    }
  }
  return {
    // A locale of files is mapped into memory, which makes every fork dearer. The bootstrap takes this off again.
    env: { ...env, LC_ALL: "C" },
    names,
    inheritedMark: process.env[markVariable] ?? "",
    restored: Buffer.concat(restored.flat().flatMap((text) => [lengthOf(text), text])),
  };
}

function lengthOf(text: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(text.length);
  return bytes;
}

/** By the text that Node makes of it. Linux only; empty elsewhere. */
function exactEnvironment(): ReadonlyMap<string, readonly [Uint8Array, Uint8Array]> {
  const found = new Map<string, readonly [Uint8Array, Uint8Array]>();
  let bytes: Buffer;
  try {
    bytes = readFileSync("/proc/self/environ");
  } catch {
    return found;
  }
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0, at);
    const entry = bytes.subarray(at, end < 0 ? bytes.length : end);
    const equals = entry.indexOf("=");
    if (equals > 0) found.set(entry.toString(), [entry.subarray(0, equals), entry.subarray(equals + 1)]);
    at += entry.length + 1;
  }
  return found;
}
