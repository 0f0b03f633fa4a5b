import type { Outcome } from "@taskmuster/kvs/protocol";
import type { LaunchRequest } from "../../../packages/engine/src/launcher/launcher.js";
import type { Happening } from "../time/agenda.js";
import type { Place } from "../truth/truth.js";
import type { World } from "./world.js";

interface Work {
  readonly request: LaunchRequest;
  /** Null: a PERENGINE command. */
  readonly id: number | null;
  readonly place: Place;
}

/** One task's processes. The command `work MS CODE` says how long they take, and how they end. */
export class Tree {
  readonly id: number | null;
  readonly #world: World;
  readonly #place: Place;
  readonly #onEnd: () => void;
  #outcome: Outcome;
  #stopped = false;
  /** A signal that a scheduler sends to all. */
  #scheduled = false;
  #alive = true;
  #end: Happening;

  constructor(world: World, { request, id, place }: Work, onEnd: () => void) {
    this.id = id;
    this.#world = world;
    this.#place = place;
    this.#onEnd = onEnd;
    const [, ms = "0", code = "0"] = Buffer.from(request.command).toString("latin1").split(" ");
    this.#outcome = { kind: "exited", code: Number(code) };
    this.#say(() => `task ${id ?? "of the engine"} starts`);
    if (id !== null) world.truth.onLaunch(place, id);
    this.#end = world.clockwork.after(Number(ms), null, () => this.#die());
  }

  get outcome(): Outcome {
    return this.#outcome;
  }

  /** We have signalled it before it ended. */
  get stopped(): boolean {
    return this.#stopped;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  /** TERM, and KILL after the grace. */
  stop(graceMs: number): void {
    const patience = this.#world.random.int(3000);
    if (patience < graceMs) this.#signal(15, patience);
    else this.#signal(9, graceMs + 1);
  }

  kill(): void {
    this.#signal(9, 1 + this.#world.random.int(30));
  }

  /** Somebody else kills it. */
  hit(): void {
    if (!this.#alive || this.#stopped) return;
    this.#outcome = { kind: "signalled", signal: 9 };
    this.#end.cancelled = true;
    this.#die();
  }

  /** By a scheduler that means all that runs there. */
  warn(ms: number): void {
    this.#world.clockwork.after(ms, null, () => {
      if (!this.#alive || this.#stopped) return;
      this.#scheduled = true;
      this.#outcome = { kind: "signalled", signal: 15 };
      this.#end.cancelled = true;
      this.#die();
    });
  }

  /** Its machine is gone. */
  vanish(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#end.cancelled = true;
    if (this.id !== null) this.#world.truth.onEnd(this.#place, this.id, this.#outcome, false);
  }

  #signal(signal: number, ms: number): void {
    if (!this.#alive) return;
    const { clockwork } = this.#world;
    const at = clockwork.now + ms;
    if (at >= this.#end.at && this.#stopped) return;
    this.#stopped = true;
    this.#outcome = { kind: "signalled", signal };
    this.#end.cancelled = true;
    this.#end = clockwork.after(ms, null, () => this.#die());
  }

  #die(): void {
    if (!this.#alive) return;
    this.#alive = false;
    const { outcome } = this;
    this.#say(() => `task ${this.id ?? "of the engine"} ends${this.#stopped ? ", stopped" : ""}`);
    if (this.id !== null)
      this.#world.truth.onEnd(this.#place, this.id, outcome, !this.#stopped && !this.#scheduled);
    this.#onEnd();
  }

  #say(what: () => string): void {
    this.#world.say(this.#place.engine, what);
  }
}
