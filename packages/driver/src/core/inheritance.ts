import { type Attempt, type ClaimedTask, attempt } from "@taskmuster/kvs/protocol";

/** What a driver before this one left of a task whose end has no row yet. */
export interface Inherited {
  readonly attempt: Attempt;
  /** Unannounced losses of engines while it ran. */
  readonly losses: number;
  /** Attempts that failed and used up a retry. */
  readonly failed: readonly Attempt[];
  /** An engine has this attempt, or its report waits in the store; else it is to be published. */
  readonly held: boolean;
}

/** An attempt that did not end by itself, as the ledger or the store tells. */
export interface GivenUp extends ClaimedTask {
  /** With its engine or launcher, unannounced; else it was handed back, or failed. */
  readonly lost: boolean;
  /** It ended, and another one was to follow. */
  readonly failed?: true;
}

interface Past {
  highest: number;
  readonly lost: Set<number>;
  readonly failed: Set<Attempt>;
}

/**
 * What is known of tasks that were published by a driver before this one, put together from the ledger, engines' claims and reports
 * that are not acknowledged. Attempts go on where they stood, so that a late report of one that was given up is told apart.
 */
export class Inheritance {
  readonly #givenUp = new Map<number, Past>();
  readonly #held = new Map<number, number>();
  #highest = -1;

  /** `held`: claims, and attempts whose reports wait. */
  constructor(parts: { readonly givenUp: readonly GivenUp[]; readonly held: readonly ClaimedTask[] }) {
    for (const each of parts.givenUp) {
      this.giveUp(each);
      this.sawTask(each.id);
    }
    for (const { id, attempt: tried } of parts.held) {
      // Of one that was given up a late report waits: the attempt after it is the one that counts.
      if (tried > (this.#givenUp.get(id)?.highest ?? 0)) {
        this.#held.set(id, Math.max(tried, this.#held.get(id) ?? 0));
      }
      this.sawTask(id);
    }
  }

  /** The next attempt is another one. */
  giveUp({ id, attempt: tried, lost, failed }: GivenUp): void {
    const before: Past = this.#givenUp.get(id) ?? { highest: 0, lost: new Set(), failed: new Set() };
    if (failed === true) before.failed.add(tried);
    before.highest = Math.max(before.highest, tried);
    if (lost) before.lost.add(tried);
    this.#givenUp.set(id, before);
  }

  /** This task was published, or had ended. */
  sawTask(id: number): void {
    if (id > this.#highest) this.#highest = id;
  }

  /** Something that comes after it in the list was published: it had been passed. */
  wasPassed(barrier: number): boolean {
    return barrier < this.#highest;
  }

  /** An attempt before its last one was given up: late reports of that may come. */
  wasGivenUp(id: number): boolean {
    return this.#givenUp.has(id);
  }

  /** Null: nothing but what the list says. */
  find(id: number): Inherited | null {
    const givenUp = this.#givenUp.get(id);
    const held = this.#held.get(id);
    if (givenUp === undefined && held === undefined) return null;
    return {
      attempt: attempt(held ?? (givenUp?.highest ?? 0) + 1),
      losses: givenUp?.lost.size ?? 0,
      failed: [...(givenUp?.failed ?? [])],
      held: held !== undefined,
    };
  }

  /** Tasks of which `find` knows something. */
  get count(): number {
    let count = this.#held.size;
    for (const id of this.#givenUp.keys()) if (!this.#held.has(id)) count++;
    return count;
  }
}
