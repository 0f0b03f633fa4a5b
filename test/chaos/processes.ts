import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Victim } from "./schedule.js";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly role: Victim | "other";
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
  [/redis-server |valkey-server /, "store"],
];
const keeper = /taskmuster-keeper|\/dist\/keeper\.js /;

/**
 * All that live in these directories or below: nothing else on this machine does, and whatever a run starts does. A keeper lives nowhere, and names one of them.
 */
export function processesIn(directories: readonly string[]): readonly Process[] {
  const all = readdirSync("/proc").flatMap((entry) => {
    const pid = Number(entry);
    const isOther = Number.isSafeInteger(pid) && pid > 1 && pid !== process.pid;
    return isOther ? (lookAt(pid, directories) ?? []) : [];
  });
  const roleOf = new Map(all.map(({ pid, role }) => [pid, role]));
  return all.map((each) => (isHalf(each, roleOf.get(each.parent)) ? { ...each, role: "other" } : each));
}

/** Forked to become a task, and not one yet: it has its parent's name. */
function isHalf({ role }: Process, parent: Process["role"] | undefined): boolean {
  return (role === "spawner" && parent !== "guardian") || (role === "guardian" && parent === "guardian");
}

function lookAt(pid: number, directories: readonly string[]): Process | null {
  try {
    const cwd = readlinkSync(`/proc/${pid}/cwd`);
    const isIn = directories.some((each) => cwd === each || cwd.startsWith(`${each}/`));
    if (!isIn && cwd !== "/") return null;
    const name = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
    // An ended process that nobody has waited for yet.
    if (name === "") return null;
    if (!isIn && !(keeper.test(name) && directories.some((each) => name.includes(` ${each}/`)))) return null;
    const role = isIn ? (roles.find(([pattern]) => pattern.test(name))?.[1] ?? "other") : "keeper";
    return { pid, parent: Number(statOf(pid)[1]), role, name };
  } catch {
    // It ended while we looked.
    return null;
  }
}

/** Its state, its parent and so on. */
function statOf(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
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

/** Resolves when it stands still, or is gone. */
export async function standsStill(pid: number): Promise<void> {
  try {
    while (!/[TXZ]/i.test(statOf(pid)[0] ?? "X")) await delay(5);
  } catch {
    // It is gone.
  }
}

/** Tasks after their engines and guardians, or these would see them die. */
const order: readonly Process["role"][] = ["engine", "driver", "context", "guardian", "spawner"];

/** Whatever a run has started, until nothing of it lives. */
export async function killAll(directories: readonly string[]): Promise<void> {
  for (;;) {
    const there = processesIn(directories);
    if (there.length === 0) return;
    const rank = ({ role }: Process): number => (order.indexOf(role) + order.length + 1) % (order.length + 1);
    for (const { pid } of there.toSorted((a, b) => rank(a) - rank(b))) signal(pid, "SIGKILL");
    await delay(50);
  }
}
