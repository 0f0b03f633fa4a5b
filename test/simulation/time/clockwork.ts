import { Agenda, type Happening } from "./agenda.js";
import type { SimProcess } from "./process.js";

/** Before anybody replaces it: the steps of a simulation are turns of the real event loop. */
const nextTurn = setImmediate;

export interface Watch {
  /** Called when all that a step has set off has happened. Throws when something is not as it must be. */
  onStep(): void;
  isOver(): boolean;
}

/**
 * Virtual time. One step at a time happens, each on behalf of one process or of the world, and all that follows at once from it (promises)
 * happens before the next step. So `current` is known in every line that runs, and nothing depends on the machine's speed.
 */
export class Clockwork {
  readonly #agenda = new Agenda();
  #now = 0;
  #steps = 0;
  #current: SimProcess | null = null;

  /** ms. No process sees it: they have clocks of their own. */
  get now(): number {
    return this.#now;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Whose step it is; null: the world's. */
  get current(): SimProcess | null {
    return this.#current;
  }

  /** Something that happens to a process, or, with null, to the world. It may be cancelled. */
  after(ms: number, process: SimProcess | null, run: () => void, isTimer = false): Happening {
    return this.#agenda.add({ at: this.#now + Math.max(0, ms), process, run, isTimer });
  }

  /** The step under way is this process's from now on; when it is stopped, that will be a step of its own. */
  deliver(process: SimProcess, run: () => void): void {
    const happening = { at: this.#now, process, isTimer: false, run, cancelled: false };
    if (!process.takes(happening)) return;
    this.#current = process;
    run();
  }

  /** It goes on: what waited for it happens now. */
  resume(held: readonly Happening[]): void {
    for (const { process, run, isTimer, cancelled } of held) {
      if (!cancelled) this.#agenda.add({ at: this.#now, process, run, isTimer });
    }
  }

  /** Until `watch` says that it is over. Rejects with what a step, or the watch, throws. */
  run(watch: Watch): Promise<void> {
    return new Promise((resolve, reject) => {
      let ended = false;
      const turn = (): void => {
        if (ended) return;
        this.#current = null;
        try {
          if (this.#steps > 0) watch.onStep();
          if (watch.isOver()) {
            ended = true;
            resolve();
          } else this.#step();
        } catch (error) {
          ended = true;
          this.#current = null;
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const batch = (): void => {
        for (let count = 0; count < turnsAtOnce; count++) nextTurn(turn);
        nextTurn(() => {
          // What else lives in this (real) process must not take itself for a simulated one.
          this.#current = null;
          if (!ended) batch();
        });
      };
      batch();
    });
  }

  #step(): void {
    for (;;) {
      const next = this.#agenda.take();
      if (next === null) throw new Error("nothing is left that could happen");
      if (next.cancelled) continue;
      if (next.process !== null && !next.process.takes(next)) continue;
      this.#now = Math.max(this.#now, next.at);
      this.#steps++;
      this.#current = next.process;
      next.run();
      return;
    }
  }
}

/** Turns of the event loop cost less in batches; after each of them promises are settled all the same. */
const turnsAtOnce = 64;
