import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../fuzz/random.js";
import type { Drivers } from "./drivers.js";
import { type Process, processesIn, signal, treeOf } from "./processes.js";
import { type Fault, type Victim, nameOf, wantsQuiet } from "./schedule.js";
import type { ChaosStore } from "./store.js";

export interface Theatre {
  /** Where all that the run starts lives. */
  readonly places: readonly string[];
  readonly store: ChaosStore;
  readonly drivers: Drivers;
  readonly random: Random;
  readonly say: (text: string) => void;
}

/** What is left to do when a fault has begun: to undo it, or to wait for its immediate consequences. */
type Rest = () => Promise<void>;

const nothing: Rest = () => Promise.resolve();
/** Longer than it takes to see a death and to kill what was guarded. */
const aftermathMs = 20_000;

/** Does to a run what the schedule says, and undoes it in time. */
export class Inflictor {
  readonly counts = new Map<string, number>();
  readonly #theatre: Theatre;
  /** Faults that are not undone, or whose immediate consequences are not over. */
  readonly #underWay = new Set<Promise<void>>();

  constructor(theatre: Theatre) {
    this.#theatre = theatre;
  }

  /** So many faults were inflicted. */
  get count(): number {
    return [...this.counts.values()].reduce((sum, each) => sum + each, 0);
  }

  /** So many shells of tasks at most were killed. */
  get killedTasks(): number {
    return this.counts.get("kill task") ?? 0;
  }

  /** Resolves when the next fault may come. */
  async inflict(fault: Fault): Promise<void> {
    if (wantsQuiet(fault)) await this.quiet();
    const rest = await this.#begin(fault);
    if (rest === null) return;
    this.counts.set(nameOf(fault), (this.counts.get(nameOf(fault)) ?? 0) + 1);
    const undone: Promise<void> = rest().finally(() => this.#underWay.delete(undone));
    this.#underWay.add(undone);
    if (wantsQuiet(fault)) await undone;
  }

  /** Everything is undone. */
  async quiet(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Null: there is nobody to do it to. */
  async #begin(fault: Fault): Promise<Rest | null> {
    const { store, drivers, random, places, say } = this.#theatre;
    const ms = "ms" in fault && fault.ms > 0 ? ` ${fault.ms} ms` : "";
    if (fault.kind === "cut") {
      say(`${nameOf(fault)}${ms}, of ${store.link.connections}`);
      return this.#cut(fault.how, fault.ms);
    }
    if (fault.kind === "driver") {
      const { pid } = drivers;
      const rest = drivers.kill(fault.how, fault.ms);
      if (rest !== null) say(`${nameOf(fault)} ${pid}${ms}`);
      return rest;
    }
    if (fault.victim === "store" || fault.victim === "driver") {
      say(`${nameOf(fault)}${ms}`);
      if (fault.kind === "kill") return (await store.kill()) ? nothing : null;
      const pid = fault.victim === "store" ? store.pid() : drivers.pid;
      return pid === null ? null : stopped([pid], fault.ms);
    }
    const all = processesIn(places);
    const there = all.filter(({ role }) => role === fault.victim);
    if (there.length === 0) return null;
    const victim = random.pick(there);
    say(`${nameOf(fault)} ${victim.pid}${ms}`);
    if (fault.kind === "kill") return this.#kill(victim, fault.victim, all);
    // A task's whole tree stands still, anybody else alone.
    const stands = fault.victim === "task" ? treeOf(victim, all) : [victim];
    return stopped(
      stands.map(({ pid }) => pid),
      fault.ms,
    );
  }

  #cut(how: Extract<Fault, { kind: "cut" }>["how"], ms: number): Rest {
    const { store, random } = this.#theatre;
    switch (how) {
      case "reset": {
        const share = 1 + random.int(3);
        store.link.reset(() => random.oneIn(share));
        return nothing;
      }
      case "lose":
        store.link.lose(1 + random.int(4));
        return nothing;
      case "refuse":
      case "stall": {
        const heal = how === "refuse" ? store.link.refuse() : store.link.stall();
        return () => delay(ms).then(heal);
      }
    }
  }

  #kill(victim: Process, role: Victim, all: readonly Process[]): Rest {
    if (role === "task") {
      // Held first, or it would see its children die, and end in some other way.
      signal(victim.pid, "SIGSTOP");
      for (const { pid } of treeOf(victim, processesIn(this.#theatre.places))) signal(pid, "SIGKILL");
      return nothing;
    }
    const guards = role === "engine" || role === "guardian" || role === "spawner";
    const guarded = guards ? tasksUnder(victim, all) : [];
    signal(victim.pid, "SIGKILL");
    return () => this.#gone(guarded);
  }

  /** What was guarded is dead: by now both engine and guardian may be taken away from others again. */
  async #gone(pids: readonly number[]): Promise<void> {
    const until = performance.now() + aftermathMs;
    while (performance.now() < until) {
      const there = new Set(processesIn(this.#theatre.places).map(({ pid }) => pid));
      if (!pids.some((pid) => there.has(pid))) return;
      await delay(50);
    }
    this.#theatre.say(`processes that should be dead live on: ${pids.join(" ")}`);
  }
}

function stopped(pids: readonly number[], ms: number): Rest {
  for (const pid of pids) signal(pid, "SIGSTOP");
  return () =>
    delay(ms).then(() => {
      for (const pid of pids) signal(pid, "SIGCONT");
    });
}

/** Shells that it looks after, itself or through what it started; for a spawner those of its guardian. */
function tasksUnder(root: Process, all: readonly Process[]): readonly number[] {
  return treeOf(root, all)
    .filter(({ role }) => role === "task")
    .map(({ pid }) => pid);
}
