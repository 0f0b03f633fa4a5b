import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Seconds of one clock tick, in which the kernel tells times. */
const tick = 1 / Number(execFileSync("getconf", ["CLK_TCK"]));

export interface ProcessStat {
  /** Name of the program, at most 15 characters. */
  readonly name: string;
  readonly parent: number;
  /** Seconds of CPU time, user and system. */
  readonly own: number;
  /** The same of all children that it has waited for, and of theirs. */
  readonly reaped: number;
}

/** Null: it is gone. */
export function processStat(pid: number): ProcessStat | null {
  const text = readProc(`/proc/${pid}/stat`);
  if (text === null) return null;
  const close = text.lastIndexOf(")");
  const fields = text.slice(close + 2).split(" ");
  const seconds = (a: number, b: number): number => tick * (Number(fields[a]) + Number(fields[b]));
  return {
    name: text.slice(text.indexOf("(") + 1, close),
    parent: Number(fields[1]),
    own: seconds(11, 12),
    reaped: seconds(13, 14),
  };
}

/** With blanks between its arguments; empty: it is gone, or has none. */
export function commandLine(pid: number): string {
  return (readProc(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ").trim();
}

export function childrenOf(pid: number): readonly number[] {
  const text = readProc(`/proc/${pid}/task/${pid}/children`) ?? "";
  return text.split(" ").filter(Boolean).map(Number);
}

/** Resident memory in MB, now and at its most; null: it is gone. */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } | null {
  const text = readProc(`/proc/${pid}/status`);
  if (text === null) return null;
  const megabytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? Number.NaN) / 1024;
  const peak = megabytes("VmHWM");
  return Number.isNaN(peak) ? null : { now: megabytes("VmRSS"), peak };
}

export interface MachineTimes {
  /** Seconds of all cores together. */
  readonly busy: number;
  readonly idle: number;
}

export function machineTimes(): MachineTimes {
  const line = (readProc("/proc/stat") ?? "").split("\n")[0] ?? "";
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { busy: tick * (user + nice + system + irq + soft + steal), idle: tick * (idle + wait) };
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}
