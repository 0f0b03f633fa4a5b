import { setTimeout as delay } from "node:timers/promises";
import type { TestServer } from "../../packages/kvs/test/test-server.js";
import type { Random } from "../fuzz/random.js";
import type { Link } from "./link.js";
import { type Process, processesIn, signal, treeOf } from "./processes.js";
import { type Fault, type Victim, nameOf, wantsQuiet } from "./schedule.js";

export interface Theatre {
  readonly directory: string;
  readonly server: TestServer;
  readonly link: Link;
  readonly random: Random;
  readonly say: (text: string) => void;
  /** Called when the driver was killed; resolves when another one is at work. */
  readonly onDriverKilled: () => Promise<void>;
}

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

  /** So many shells of tasks at most were killed. */
  get killedTasks(): number {
    return this.counts.get("kill task") ?? 0;
  }

  /** Resolves when the next fault may come. */
  async inflict(fault: Fault): Promise<void> {
    if (wantsQuiet(fault)) await this.quiet();
    const done = await this.#begin(fault);
    if (done === null) return;
    this.counts.set(nameOf(fault), (this.counts.get(nameOf(fault)) ?? 0) + 1);
    const undone: Promise<void> = done().finally(() => this.#underWay.delete(undone));
    this.#underWay.add(undone);
    if (wantsQuiet(fault)) await undone;
  }

  /** Everything is undone. */
  async quiet(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Null: there is nobody to do it to. Answers what is left to do. */
  async #begin(fault: Fault): Promise<(() => Promise<void>) | null> {
    const { server, random, say } = this.#theatre;
    if (fault.kind === "cut") {
      say(`${nameOf(fault)} ${fault.ms} ms`);
      return this.#cut(fault.how, fault.ms);
    }
    if (fault.victim === "store") {
      say(nameOf(fault));
      if (fault.kind === "kill") {
        await server.restart();
        return () => Promise.resolve();
      }
      const { pid } = server;
      signal(pid, "SIGSTOP");
      return () => delay(fault.ms).then(() => void signal(pid, "SIGCONT"));
    }
    const all = processesIn(this.#theatre.directory);
    const there = all.filter(({ role }) => role === fault.victim);
    if (there.length === 0) return null;
    const victim = random.pick(there);
    say(`${nameOf(fault)} ${victim.pid}${fault.kind === "stop" ? ` ${fault.ms} ms` : ""}`);
    return fault.kind === "kill"
      ? this.#kill(victim, fault.victim, all)
      : this.#stop(victim, fault.victim, fault.ms, all);
  }

  #cut(how: Extract<Fault, { kind: "cut" }>["how"], ms: number): () => Promise<void> {
    const { link, random } = this.#theatre;
    switch (how) {
      case "reset": {
        const share = 1 + random.int(3);
        link.reset(() => random.oneIn(share));
        return () => Promise.resolve();
      }
      case "lose":
        link.lose(1 + random.int(4));
        return () => Promise.resolve();
      case "refuse":
      case "stall": {
        const heal = how === "refuse" ? link.refuse() : link.stall();
        return () => delay(ms).then(heal);
      }
    }
  }

  #kill(victim: Process, role: Victim, all: readonly Process[]): () => Promise<void> {
    if (role === "task") {
      // Held first, or it would see its children die, and end in some other way.
      signal(victim.pid, "SIGSTOP");
      for (const { pid } of treeOf(victim, processesIn(this.#theatre.directory))) signal(pid, "SIGKILL");
      return () => Promise.resolve();
    }
    const guarded =
      role === "engine" || role === "guardian" || role === "spawner" ? tasksUnder(victim, all) : [];
    signal(victim.pid, "SIGKILL");
    if (role === "driver") return () => this.#theatre.onDriverKilled();
    return () => this.#gone(guarded);
  }

  /** A task's whole tree stands still, anybody else alone. */
  #stop(victim: Process, role: Victim, ms: number, all: readonly Process[]): () => Promise<void> {
    const pids = (role === "task" ? treeOf(victim, all) : [victim]).map(({ pid }) => pid);
    for (const pid of pids) signal(pid, "SIGSTOP");
    return () =>
      delay(ms).then(() => {
        for (const pid of pids) signal(pid, "SIGCONT");
      });
  }

  /** What was guarded is dead: by now both engine and guardian may be taken away from others again. */
  async #gone(pids: readonly number[]): Promise<void> {
    const until = performance.now() + aftermathMs;
    while (performance.now() < until) {
      const there = new Set(processesIn(this.#theatre.directory).map(({ pid }) => pid));
      if (!pids.some((pid) => there.has(pid))) return;
      await delay(50);
    }
    this.#theatre.say(`processes that should be dead live on: ${pids.join(" ")}`);
  }
}

/** Shells that it looks after, itself or through what it started; for a spawner those of its guardian. */
function tasksUnder(root: Process, all: readonly Process[]): readonly number[] {
  return treeOf(root, all)
    .filter(({ role }) => role === "task")
    .map(({ pid }) => pid);
}
