import type { Happening } from "./agenda.js";
import type { Clockwork } from "./clockwork.js";
import type { Random } from "../../fuzz/random.js";

/** A machine, as far as it has clocks: one that only grows, a little too fast or too slow, and one on the wall, which people set. */
export class Host {
  readonly name: string;
  readonly #rate: number;
  readonly #booted: number;
  #wall: number;

  /** `rate`: seconds of its monotonic clock in one of the world's. `wall`: ms since 1970 when the world began. */
  constructor(name: string, rate: number, booted: number, wall: number) {
    this.name = name;
    this.#rate = rate;
    this.#booted = booted;
    this.#wall = wall;
  }

  monotonic(now: number): number {
    return this.#booted + now * this.#rate;
  }

  wall(now: number): number {
    return Math.floor(this.#wall + now * this.#rate);
  }

  setWall(byMs: number): void {
    this.#wall += byMs;
  }

  /** How much of the world's time passes until so many ms have by this machine's clock. */
  span(ms: number): number {
    return ms / this.#rate;
  }
}

/** A process: what happens to it waits while it is stopped (SIGSTOP), and is nothing any more when it is dead. */
export class SimProcess {
  readonly name: string;
  readonly host: Host;
  /** Null: that of the real one, which is certainly alive. */
  readonly pid: number | null;
  readonly #clockwork: Clockwork;
  #state: "running" | "stopped" | "dead" = "running";
  #stops = 0;
  #held: Happening[] = [];
  readonly #onDeath: (() => void)[] = [];

  constructor(clockwork: Clockwork, host: Host, name: string, pid: number | null = null) {
    this.pid = pid;
    this.#clockwork = clockwork;
    this.host = host;
    this.name = name;
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isStopped(): boolean {
    return this.#state === "stopped";
  }

  /** Called at once, by the world. */
  onDeath(then: () => void): void {
    this.#onDeath.push(then);
  }

  /** False: not now, or never. */
  takes(happening: Happening): boolean {
    if (this.#state === "stopped") this.#held.push(happening);
    return this.#state === "running";
  }

  stop(): void {
    this.#stops++;
    if (this.#state === "running") this.#state = "stopped";
  }

  /** As often as it was stopped. Timers that are overdue, or what came for it: either may be first then. */
  resume(random: Random): void {
    if (--this.#stops > 0 || this.#state !== "stopped") return;
    this.#state = "running";
    const timersFirst = random.oneIn(2);
    const held = this.#held;
    this.#held = [];
    this.#clockwork.resume([
      ...held.filter(({ isTimer }) => isTimer === timersFirst),
      ...held.filter(({ isTimer }) => isTimer !== timersFirst),
    ]);
  }

  /** By `kill -9`, or as its time has come. */
  die(): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#held = [];
    for (const then of this.#onDeath.splice(0)) then();
  }
}
