import { readFileSync } from "node:fs";
import type { ProcessStamp } from "../core/ledger-entry.js";

/** Null: there is no such process, or the system does not tell. */
export function processStamp(pid: number): ProcessStamp | null {
  const stat = statOf(pid);
  return stat === null ? null : { boot: bootId(), start: stat.start };
}

/** `unknown`: this system does not tell. */
export type ProcessState = "gone" | "stopped" | "there" | "unknown";

/** What became of a process of this host. Without a stamp the number has to do. */
export function stateOfProcess(pid: number, stamp: ProcessStamp | null): ProcessState {
  if (pid <= 1) return "gone";
  const boot = bootId();
  if (boot === "") return "unknown";
  if (stamp !== null && stamp.boot !== boot) return "gone";
  const stat = statOf(pid);
  if (stat === null || /[XZ]/i.test(stat.state) || (stamp !== null && stat.start !== stamp.start))
    return "gone";
  return /t/i.test(stat.state) ? "stopped" : "there";
}

/** Differs each time that this machine is started; empty: the system does not tell. */
export function bootId(): string {
  return readOr("/proc/sys/kernel/random/boot_id").trim();
}

function statOf(pid: number): { readonly state: string; readonly start: string } | null {
  const stat = readOr(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything, so count from the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = ""] = fields;
  const start = fields[19];
  return start === undefined ? null : { state, start };
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
