import {
  type MachineTimes,
  type ProcessStat,
  childrenOf,
  commandLine,
  machineTimes,
  memoryOf,
  processStat,
} from "./stat.js";

export type Role = "driver" | "engine" | "launcher" | "spawner" | "Redis" | "keeper" | "peer";

export interface Usage {
  /** Seconds of CPU time, user and system. */
  readonly own: number;
  /** Of children that were waited for, as last seen while all lasting children lived. */
  readonly reaped: number;
  /** MB. */
  readonly peak: number;
}

interface Seen {
  readonly pid: number;
  readonly role: Role;
  readonly name: string;
  readonly parent: number;
  looks: number;
  own: number;
  reaped: number;
  peak: number;
  alive: boolean;
}

/** Else it was a fork on its way to a task's shell, which looked like its parent. */
function isLasting({ role, looks }: Seen): boolean {
  return looks > 4 || role !== "spawner";
}

/** What a lasting process of ours is; null: a task's, or nothing of ours. Its children are of no interest then. */
function roleOf(name: string, command: string, parent: Role | null): Role | null {
  if (/^(redis|valkey)-server/.test(name)) return "Redis";
  if (command.includes("keeper")) return "keeper";
  // Between its fork and its exec a child looks like its parent.
  if (command.includes("/engine.js") && parent !== "engine") return "engine";
  // Names are cut to 15 characters; a fork has its parent's until its exec.
  if (name.startsWith("taskmuster-lau") && parent !== "launcher") return "launcher";
  if (name.startsWith("taskmuster-spa")) return "spawner";
  return null;
}

/**
 * Follows the lasting processes of a run: looks every so often what they have used, as nobody tells when they are gone. What they
 * use after the last look is not seen.
 */
export class ProcessWatch {
  readonly #seen = new Map<number, Seen>();
  readonly #roots: { readonly pid: number; readonly role: Role }[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #before: MachineTimes = machineTimes();
  #lookAtMemory = 0;

  constructor(everyMs = 25) {
    this.#timer = setInterval(() => this.look(), everyMs);
  }

  /** Follows this process, and those of its descendants that are ours. */
  add(pid: number, role: Role): void {
    if (pid > 1) this.#roots.push({ pid, role });
  }

  look(): void {
    const withMemory = this.#lookAtMemory++ % 4 === 0;
    const living = [...this.#seen.values()].filter(({ alive }) => alive);
    const stats = living.map((seen) => ({ seen, stat: processStat(seen.pid) }));
    // Who is gone must be known before what parents say of their children is believed.
    for (const { seen, stat } of stats) seen.alive = stat !== null;
    for (const { seen, stat } of stats) if (stat !== null) this.#update(seen, stat, withMemory);
    for (const { pid, role } of this.#roots) this.#find(pid, role, null);
  }

  /** Ends the watch. Answers what the whole machine has done since it began. */
  stop(): MachineTimes {
    clearInterval(this.#timer);
    const after = machineTimes();
    return { busy: after.busy - this.#before.busy, idle: after.idle - this.#before.idle };
  }

  /** All processes of a role together, since each began. */
  usage(...roles: readonly Role[]): Usage {
    const those = [...this.#seen.values()].filter((seen) => roles.includes(seen.role) && isLasting(seen));
    const sum = (key: "own" | "reaped" | "peak"): number => those.reduce((all, seen) => all + seen[key], 0);
    return { own: sum("own"), reaped: sum("reaped"), peak: sum("peak") };
  }

  #update(seen: Seen, stat: ProcessStat, withMemory: boolean): void {
    // It was another program before its exec: looked at anew. What we were told of is what we were told.
    if (stat.name !== seen.name && !this.#roots.some(({ pid }) => pid === seen.pid)) {
      this.#seen.delete(seen.pid);
      return;
    }
    seen.looks++;
    seen.own = stat.own;
    // A lasting child that has ended is counted among its parent's: it is counted on its own here.
    if (!this.#hasLost(seen.pid)) seen.reaped = stat.reaped;
    if (withMemory) seen.peak = memoryOf(seen.pid)?.peak ?? seen.peak;
  }

  #hasLost(parent: number): boolean {
    for (const seen of this.#seen.values())
      if (seen.parent === parent && !seen.alive && isLasting(seen)) return true;
    return false;
  }

  #hasSpawner(parent: number): boolean {
    for (const seen of this.#seen.values())
      if (seen.role === "spawner" && seen.parent === parent && seen.alive) return true;
    return false;
  }

  #find(pid: number, known: Role | null, parent: Role | null): void {
    let seen = this.#seen.get(pid);
    if (seen === undefined) {
      const stat = processStat(pid);
      if (stat === null) return;
      const role = known ?? roleOf(stat.name, commandLine(pid), parent);
      // There is one, and it was there before the first task.
      if (role === null || (role === "spawner" && this.#hasSpawner(stat.parent))) return;
      const { name, own, reaped } = stat;
      const peak = memoryOf(pid)?.peak ?? 0;
      seen = { pid, role, name, parent: stat.parent, looks: 1, own, reaped, peak, alive: true };
      this.#seen.set(pid, seen);
    }
    if (!seen.alive || seen.role === "Redis" || seen.role === "keeper") return;
    for (const child of childrenOf(pid)) this.#find(child, null, seen.role);
  }
}
