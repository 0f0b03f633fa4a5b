import {
  type ContextId,
  type ContextSnapshot,
  type EngineId,
  type EnrolRequest,
  type RemainingContext,
  type RemainingEngine,
  type Scope,
  type Snapshot,
  type Wanted,
  decodeContextInfo,
} from "@taskmuster/kvs/protocol";

/** What a driver remembers of what the store holds, to put it back when that has forgotten. Bounded by engines and contexts. */
export class StoreMemory {
  #engines = new Map<EngineId, RemainingEngine>();
  readonly #contexts = new Map<ContextId, ContextSnapshot>();
  readonly #orders = new Map<string, { readonly scope: Scope; readonly wanted: Wanted }>();
  readonly #posts = new Map<string, string>();
  readonly #enrolments = new Map<string, EnrolRequest>();
  #ranks = 0;
  #hasSeen = false;

  /** Whether anybody has ever looked. */
  get hasSeen(): boolean {
    return this.#hasSeen;
  }

  /** Rank of the next engine. */
  get ranks(): number {
    return this.#ranks;
  }

  /** Members at the last look, by rank. */
  get engines(): readonly RemainingEngine[] {
    return [...this.#engines.values()].toSorted((a, b) => a.rank - b.rank);
  }

  /** The last claims that each was seen with. */
  readonly claims = new Map<EngineId, number>();

  get orders(): readonly { readonly scope: Scope; readonly wanted: Wanted }[] {
    return [...this.#orders.values()];
  }

  /** The last value under each key. */
  get posts(): readonly { readonly key: string; readonly value: string }[] {
    return [...this.#posts].map(([key, value]) => ({ key, value }));
  }

  /** Contexts of this driver that nobody has seen in the store yet, under the names that they have; of a limit nothing is granted. */
  get enrolments(): readonly EnrolRequest[] {
    const seen = new Set([...this.#contexts.values()].map(({ nonce }) => nonce));
    return [...this.#enrolments.values()].filter(({ nonce }) => !seen.has(nonce));
  }

  /** By rank, with nothing granted yet of a limit. */
  contexts(granted: (context: ContextId, limit: number) => number): readonly RemainingContext[] {
    return [...this.#contexts.values()]
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ context, nonce, info, wanted, credit }) => {
        const limit = credit === null ? null : decodeContextInfo(info).limit;
        return { context, nonce, info, wanted, granted: limit === null ? null : granted(context, limit) };
      });
  }

  onSnapshot({ engines, contexts }: Snapshot): void {
    this.#hasSeen = true;
    const members = engines.filter(({ state }) => state === "member");
    this.#engines = new Map(members.map((each) => [each.engine, withoutHold(each)]));
    for (const { rank } of engines) this.#ranks = Math.max(this.#ranks, rank + 1);
    this.claims.clear();
    for (const { engine, claims } of members) this.claims.set(engine, claims);
    // One that enrolled before the store forgot may come back later.
    for (const each of contexts) this.#contexts.set(each.context, withoutHold(each));
  }

  onExpelled(engine: EngineId): void {
    this.#engines.delete(engine);
  }

  onEnrolled(request: EnrolRequest, name: ContextId): void {
    const limit = request.limit === null ? null : 0;
    this.#enrolments.set(request.nonce, { ...request, label: name, limit });
  }

  onOrder(scope: Scope, wanted: Wanted): void {
    this.#orders.set(JSON.stringify(scope), { scope, wanted });
  }

  onPost(key: string, value: string): void {
    this.#posts.set(key, value);
  }
}

/** The whole run is on hold, never one of these alone; that is put back as the run's own order. */
function withoutHold<Each extends { readonly wanted: Wanted }>(each: Each): Each {
  return each.wanted === "hold" ? { ...each, wanted: "run" } : each;
}
