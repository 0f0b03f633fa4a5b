import type { StreamDigest } from "@taskmuster/kvs/protocol";
import { lastWordsBytes } from "./output-digest.js";

/** The ReturnCode that disBatch gives to a command with a NUL byte, which no argument can hold. */
export const nulByteErrno = 200;

/** glibc's words for what fork, pipe and exec answer; the same numbers on every Linux and, but for EAGAIN, elsewhere. */
const texts: ReadonlyMap<number, string> = new Map([
  [1, "Operation not permitted"],
  [2, "No such file or directory"],
  [5, "Input/output error"],
  [7, "Argument list too long"],
  [8, "Exec format error"],
  [11, "Resource temporarily unavailable"],
  [12, "Cannot allocate memory"],
  [13, "Permission denied"],
  [20, "Not a directory"],
  [23, "Too many open files in system"],
  [24, "Too many open files"],
  [26, "Text file busy"],
  [40, "Too many levels of symbolic links"],
]);

/** What a task that could not be started shows in place of its standard error: disBatch's words, without the traceback. */
export function startFailureText(errno: number, failed: "exec" | "fork"): string {
  if (errno === nulByteErrno) return "Exception during task execution: embedded null byte";
  const reason = `[Errno ${errno}] ${texts.get(errno) ?? `Unknown error ${errno}`}`;
  return `Exception during task execution: ${reason}${failed === "exec" ? ": '/bin/bash'" : ""}`;
}

/** The text as a stream: in full, as it is ours and short. */
export function startFailureDigest(
  errno: number,
  failed: "exec" | "fork",
): { readonly err: StreamDigest; readonly lastWords: Uint8Array } {
  const snippet = new TextEncoder().encode(startFailureText(errno, failed));
  return { err: { bytes: snippet.length, snippet }, lastWords: snippet.subarray(-lastWordsBytes) };
}
