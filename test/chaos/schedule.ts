import type { Random } from "../fuzz/random.js";

export type Victim = "engine" | "guardian" | "spawner" | "context" | "task" | "driver" | "keeper" | "store";

/** What is done to a run. `ms`: until it is undone. */
export type Fault =
  | { readonly kind: "kill"; readonly victim: Exclude<Victim, "driver"> }
  | { readonly kind: "stop"; readonly victim: Victim; readonly ms: number }
  /** `reset`: connections end. `refuse`: none can be made for a while, either. `stall`: nothing passes. `lose`: answers are lost. */
  | { readonly kind: "cut"; readonly how: "reset" | "refuse" | "stall" | "lose"; readonly ms: number }
  /**
   * `take over`: killed, and `ms` later another one recovers the run, beside whatever works. `contest`: two of them, at once. `replace`: stopped, another one recovers the run at once, and `ms` later
   * it finds itself replaced. `outage`: everything is killed, and the run recovered. `resume`: the same, and what is left is a new run (`-r`).
   */
  | {
      readonly kind: "driver";
      readonly how: "take over" | "contest" | "replace" | "outage" | "resume";
      readonly ms: number;
    };

export interface Planned {
  readonly afterMs: number;
  readonly fault: Fault;
}

interface Limits {
  readonly leaseMs: number;
  /** Mean time between two faults. */
  readonly everyMs: number;
}

type Draw = (random: Random, limits: Limits) => Fault;

const kill =
  (victim: Exclude<Victim, "driver">): Draw =>
  () => ({ kind: "kill", victim });

/** Mostly shorter than the lease, sometimes longer. */
const stop =
  (victim: Victim, most = 1.6): Draw =>
  (random, { leaseMs }) => ({
    kind: "stop",
    victim,
    ms: 50 + random.int(random.oneIn(3) ? most * leaseMs : leaseMs / 3),
  });

const cut =
  (how: Extract<Fault, { kind: "cut" }>["how"]): Draw =>
  (random, { leaseMs }) => ({
    kind: "cut",
    how,
    ms: 50 + random.int(random.oneIn(3) ? 1.6 * leaseMs : leaseMs / 3),
  });

/** Mostly somebody is there to recover the run at once. */
const takeOver =
  (how: "take over" | "contest"): Draw =>
  (random, { leaseMs }) => ({
    kind: "driver",
    how,
    ms: random.oneIn(3) ? random.int(1.5 * leaseMs) : 0,
  });

const replace: Draw = (random, { leaseMs }) => ({
  kind: "driver",
  how: "replace",
  ms: random.int(random.oneIn(2) ? 2 * leaseMs : leaseMs / 3),
});

const all =
  (how: "outage" | "resume"): Draw =>
  () => ({ kind: "driver", how, ms: 0 });

/** How often each is drawn, compared with the others. */
const draws: readonly (readonly [number, Draw])[] = [
  [6, kill("engine")],
  [4, kill("guardian")],
  [2, kill("spawner")],
  [3, kill("context")],
  [6, kill("task")],
  [2, kill("store")],
  [2, kill("keeper")],
  [4, stop("engine")],
  [2, stop("guardian", 0.4)],
  [1, stop("context")],
  [2, stop("task")],
  [2, stop("driver")],
  [2, stop("store")],
  [5, cut("reset")],
  [2, cut("refuse")],
  [2, cut("stall")],
  [4, cut("lose")],
  [4, takeOver("take over")],
  [1, takeOver("contest")],
  [2, replace],
  [1, all("outage")],
  [1, all("resume")],
];

/** The same faults for the same seed; whom they meet depends on who is there. */
export class Schedule {
  readonly #random: Random;
  readonly #limits: Limits;
  readonly #draws: readonly Draw[];

  constructor(random: Random, limits: Limits) {
    this.#random = random;
    this.#limits = limits;
    this.#draws = draws.flatMap(([weight, draw]) => Array.from({ length: weight }, () => draw));
  }

  next(): Planned {
    const afterMs = this.#random.int(2 * this.#limits.everyMs);
    return { afterMs, fault: this.#random.pick(this.#draws)(this.#random, this.#limits) };
  }
}

/**
 * Engine and guardian watch each other: one of them may die or stand still at a time. What is done to a guardian waits until nothing
 * else is under way, and nothing else is begun until what it guarded is dead or guarded again.
 */
export function wantsQuiet(fault: Fault): boolean {
  if (fault.kind === "cut" || fault.kind === "driver") return false;
  return fault.victim === "guardian" || fault.victim === "spawner";
}

export function nameOf(fault: Fault): string {
  switch (fault.kind) {
    case "cut":
      return `cut ${fault.how}`;
    case "driver":
      return `driver: ${fault.how}`;
    case "kill":
    case "stop":
      return `${fault.kind} ${fault.victim}`;
  }
}
