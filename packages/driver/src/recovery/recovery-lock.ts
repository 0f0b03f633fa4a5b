import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { TaskmusterError } from "@taskmuster/kvs";
import { codeOf, reasonOf } from "../status-file.js";
import { processStamp, stateOfProcess } from "./process-stamp.js";

/**
 * Keeps two recoveries of one run apart while they look around: a file that only one can make. Not what keeps two drivers apart:
 * that is the fencing token. Answers what releases it. Throws `TaskmusterError`.
 */
export function lockRecovery(prefix: string): () => void {
  const path = `${prefix}_recovering`;
  for (let tries = 0; ; tries++) {
    try {
      const file = openSync(path, "wx", 0o600);
      writeSync(
        file,
        `${JSON.stringify({ host: hostname(), pid: process.pid, process: processStamp(process.pid) })}\n`,
      );
      closeSync(file);
      return () => rmSync(path, { force: true });
    } catch (cause) {
      if (codeOf(cause) !== "EEXIST") {
        throw new TaskmusterError("E_PREFIX", `cannot write ${path}: ${reasonOf(cause)}`, { cause });
      }
    }
    const owner = ownerOf(path);
    if (tries > 0 || owner.isAlive) {
      throw new TaskmusterError(
        "E_PREFIX",
        `another recovery of ${prefix} is at work${owner.words}. If it is not, remove ${path}`,
      );
    }
    rmSync(path, { force: true });
  }
}

/** One of another host may be alive. */
function ownerOf(path: string): { readonly isAlive: boolean; readonly words: string } {
  let owner: unknown;
  try {
    owner = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { isAlive: true, words: "" };
  }
  if (!isOwner(owner)) return { isAlive: true, words: "" };
  const words = ` (process ${owner.pid} on ${owner.host})`;
  if (owner.host !== hostname()) return { isAlive: true, words };
  return { isAlive: stateOfProcess(owner.pid, owner.process) !== "gone", words };
}

interface Owner {
  readonly host: string;
  readonly pid: number;
  readonly process: { readonly boot: string; readonly start: string } | null;
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== "object" || value === null) return false;
  return (
    "host" in value &&
    typeof value.host === "string" &&
    "pid" in value &&
    typeof value.pid === "number" &&
    "process" in value
  );
}
