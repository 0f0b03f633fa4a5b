import type { EngineId } from "@taskmuster/kvs/protocol";
import { logChance, type Stratum } from "./chance.js";

/*
 * Finds black holes: engines on which every task fails at once while others do not. A node without its file system, licence or driver
 * ends tasks so fast that it takes most of the list.
 *
 * The tasks themselves may be what fails: a block of bad lines that one engine took in one go, or every second line where two
 * engines take turns. So a streak only makes an engine a suspect. From then on tasks are published in random order (`mixes`), which
 * makes an experiment of it: who gets which of the tasks that lie near each other in the list is chance. If what failed was the
 * tasks' fault, then that all the failures are on one side has a chance that can be computed, and where it is below one in a
 * million million it was not the tasks.
 *
 *   trusted ──(a streak of quick failures)──> suspect ──(beyond chance)──> convicted
 *      ^                                          │
 *      └──(anything there that is no such failure)┘
 */

export interface BlackHolesOptions {
  /** All tasks before this id have been published; called when a suspicion begins. */
  readonly published: () => number;
}

interface Engine {
  readonly id: EngineId;
  slots: number;
  /** Quick failures in a row, and how many there were in all when that began. */
  streak: number;
  quickBefore: number;
  suspicion: Suspicion | null;
}

interface Suspicion {
  /** The first task that counts: who gets it is chance. */
  readonly from: number;
  readonly strata: Map<number, Stratum>;
  /** On the suspect. */
  failed: number;
  /** Tasks of others that run for so long that they have not failed quickly; they are counted already. */
  readonly survivors: Set<number>;
}

export interface Conviction {
  readonly engine: EngineId;
  /** Quick failures in a row. */
  readonly failed: number;
}

export class BlackHoles {
  readonly #options: BlackHolesOptions;
  readonly #engines = new Map<EngineId, Engine>();
  /** One exchange brings many reports of one engine. */
  #last: Engine | null = null;
  #quick = 0;
  #mixes = false;
  readonly #suspects = new Map<EngineId, Suspicion>();

  constructor(options: BlackHolesOptions) {
    this.#options = options;
  }

  /** Tasks are to be published in random order, from the first suspicion to the end of the run. */
  get mixes(): boolean {
    return this.#mixes;
  }

  get suspects(): readonly EngineId[] {
    return [...this.#suspects.keys()];
  }

  /** Those that may run tasks now. */
  setEngines(engines: readonly { readonly engine: EngineId; readonly slots: number }[]): void {
    const known = new Set(engines.map(({ engine }) => engine));
    for (const id of this.#engines.keys()) {
      if (known.has(id)) continue;
      this.#engines.delete(id);
      this.#suspects.delete(id);
    }
    this.#last = null;
    for (const { engine, slots } of engines) this.#of(engine).slots = slots;
  }

  /** A first attempt has ended. `quickly`: it failed, and within seconds. */
  onEnd(engine: EngineId, task: number, quickly: boolean): void {
    const of = this.#last?.id === engine ? this.#last : (this.#last = this.#of(engine));
    if (quickly) this.#onQuickFailure(of);
    else if (of.streak > 0) this.#trust(of);
    if (this.#suspects.size > 0) this.#count(engine, task, quickly);
  }

  /** It has not ended for so long that it cannot fail quickly any more. */
  onSurvived(engine: EngineId, task: number): void {
    const own = this.#suspects.get(engine);
    if (own !== undefined && task >= own.from) this.#trust(this.#of(engine));
    for (const [suspect, { from, strata, survivors }] of this.#suspects) {
      if (suspect === engine || task < from || survivors.has(task)) continue;
      survivors.add(task);
      stratumOf(strata, task).othersFine++;
    }
  }

  /** Who has failed beyond chance. To be drained, unless it is the last one. */
  convicted(): readonly Conviction[] {
    const found: Conviction[] = [];
    for (const [engine, suspicion] of this.#suspects) {
      const { slots, streak } = this.#of(engine);
      if (suspicion.failed < Math.max(leastFailed, 2 * slots)) continue;
      if (logChance(suspicion.strata.values()) < mostLogChance) found.push({ engine, failed: streak });
    }
    return found;
  }

  #of(id: EngineId): Engine {
    let engine = this.#engines.get(id);
    if (engine === undefined) {
      engine = { id, slots: 1, streak: 0, quickBefore: 0, suspicion: null };
      this.#engines.set(id, engine);
    }
    return engine;
  }

  #onQuickFailure(engine: Engine): void {
    if (engine.streak === 0) engine.quickBefore = this.#quick;
    engine.streak++;
    this.#quick++;
    if (engine.suspicion !== null || engine.streak < suspiciousStreak || this.#engines.size < 2) return;
    // Where others fail as often there is nothing to compare with.
    const others = this.#quick - engine.quickBefore - engine.streak;
    if (others >= engine.streak || this.#suspects.size >= mostSuspects) return;
    engine.suspicion = {
      from: this.#options.published(),
      strata: new Map(),
      failed: 0,
      survivors: new Set(),
    };
    this.#suspects.set(engine.id, engine.suspicion);
    this.#mixes = true;
  }

  #trust(engine: Engine): void {
    engine.streak = 0;
    engine.suspicion = null;
    this.#suspects.delete(engine.id);
  }

  #count(engine: EngineId, task: number, quickly: boolean): void {
    for (const [suspect, suspicion] of this.#suspects) {
      if (task < suspicion.from || suspicion.survivors.delete(task)) continue;
      const stratum = stratumOf(suspicion.strata, task);
      if (suspect === engine) {
        // Anything else has ended the suspicion.
        stratum.failed++;
        suspicion.failed++;
      } else if (quickly) stratum.othersFailed++;
      else stratum.othersFine++;
    }
  }
}

/** Of the tasks that lie near each other in the list. The oldest are forgotten when there are many. */
function stratumOf(strata: Map<number, Stratum>, task: number): Stratum {
  const key = Math.floor(task / stratumTasks);
  let stratum = strata.get(key);
  if (stratum === undefined) {
    stratum = { failed: 0, othersFailed: 0, othersFine: 0 };
    strata.set(key, stratum);
    const [oldest] = strata.keys();
    if (strata.size > mostStrata && oldest !== undefined) strata.delete(oldest);
  }
  return stratum;
}

const suspiciousStreak = 5;
const leastFailed = 10;
const mostLogChance = Math.log(1e-12);
const stratumTasks = 64;
const mostStrata = 1000;
const mostSuspects = 16;
