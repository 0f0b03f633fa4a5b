import type { Random } from "../fuzz/random.js";

export type Victim = "engine" | "guardian" | "spawner" | "context" | "task" | "driver" | "store";

/** What is done to a run. `ms`: until it is undone. */
export type Fault =
  | { readonly kind: "kill"; readonly victim: Victim }
  | { readonly kind: "stop"; readonly victim: Victim; readonly ms: number }
  /** `reset`: connections end. `refuse`: none can be made for a while, either. `stall`: nothing passes. `lose`: answers are lost. */
  | { readonly kind: "cut"; readonly how: "reset" | "refuse" | "stall" | "lose"; readonly ms: number };

export interface Planned {
  readonly afterMs: number;
  readonly fault: Fault;
}

interface Limits {
  readonly leaseMs: number;
  readonly everyMs: number;
  readonly killsStore: boolean;
}

type Draw = (random: Random, limits: Limits) => Fault;

const kill =
  (victim: Victim): Draw =>
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

/** How often each is drawn, compared with the others. */
const draws: readonly (readonly [number, Draw])[] = [
  [6, kill("engine")],
  [4, kill("guardian")],
  [2, kill("spawner")],
  [3, kill("context")],
  [6, kill("task")],
  [2, kill("driver")],
  [4, stop("engine")],
  [2, stop("guardian", 0.4)],
  [2, stop("task")],
  [2, stop("driver")],
  [2, stop("store")],
  [5, cut("reset")],
  [2, cut("refuse")],
  [2, cut("stall")],
  [4, cut("lose")],
];
const storeDraw: readonly [number, Draw] = [2, kill("store")];

/** The same faults for the same seed; whom they meet depends on who is there. */
export class Schedule {
  readonly #random: Random;
  readonly #limits: Limits;
  readonly #draws: readonly Draw[];

  constructor(random: Random, limits: Limits) {
    this.#random = random;
    this.#limits = limits;
    const all = limits.killsStore ? [...draws, storeDraw] : draws;
    this.#draws = all.flatMap(([weight, draw]) => Array.from({ length: weight }, () => draw));
  }

  next(): Planned {
    const afterMs = this.#random.int(2 * this.#limits.everyMs);
    return { afterMs, fault: this.#random.pick(this.#draws)(this.#random, this.#limits) };
  }
}

/**
 * Engine and guardian watch each other: one of them may die or stand still at a time. What is done to a guardian waits until nothing
 * else is under way, and nothing else is begun until what it guarded is dead or guarded again. A driver that cannot reach its store
 * does not start, so nothing else is done meanwhile.
 */
export function wantsQuiet(fault: Fault): boolean {
  if (fault.kind === "cut") return false;
  if (fault.victim === "driver") return fault.kind === "kill";
  return fault.victim === "guardian" || fault.victim === "spawner";
}

export function nameOf(fault: Fault): string {
  return fault.kind === "cut" ? `cut ${fault.how}` : `${fault.kind} ${fault.victim}`;
}
