import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import type { Victim } from "./schedule.js";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly role: Exclude<Victim, "store"> | "other";
  /** Its command line. */
  readonly name: string;
}

const roles: readonly (readonly [RegExp, Process["role"]])[] = [
  [/\/dist\/driver\.js /, "driver"],
  [/\/dist\/context\.js /, "context"],
  [/\/dist\/engine\.js /, "engine"],
  [/^taskmuster-launcher/, "guardian"],
  [/^taskmuster-spawner/, "spawner"],
  [/^\/bin\/bash -c \. \.\/task\.sh; /, "task"],
];

/** All that live in this directory: nothing else on this machine does, and whatever a run starts does. */
export function processesIn(directory: string): readonly Process[] {
  const all = readdirSync("/proc").flatMap((entry) => {
    const pid = Number(entry);
    return Number.isSafeInteger(pid) && pid > 1 && pid !== process.pid ? (lookAt(pid, directory) ?? []) : [];
  });
  const roleOf = new Map(all.map(({ pid, role }) => [pid, role]));
  return all.map((each) => (isHalf(each, roleOf.get(each.parent)) ? { ...each, role: "other" } : each));
}

/** Forked to become a task, and not one yet: it has its parent's name. */
function isHalf({ role }: Process, parent: Process["role"] | undefined): boolean {
  return (role === "spawner" && parent !== "guardian") || (role === "guardian" && parent === "guardian");
}

function lookAt(pid: number, directory: string): Process | null {
  try {
    if (readlinkSync(`/proc/${pid}/cwd`) !== directory) return null;
    const name = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
    // An ended process that nobody has waited for yet.
    if (name === "") return null;
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    return { pid, parent, role: roles.find(([pattern]) => pattern.test(name))?.[1] ?? "other", name };
  } catch {
    // It ended while we looked.
    return null;
  }
}

/** The process and all that descend from it, it last: what it started may not outlive it unseen. */
export function treeOf(root: Process, all: readonly Process[]): readonly Process[] {
  return [...all.filter(({ parent }) => parent === root.pid).flatMap((child) => treeOf(child, all)), root];
}

/** False: it is gone. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1) throw new Error(`no process to signal: ${pid}`);
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}
