import {
  type ContextId,
  type EngineId,
  type EngineSnapshot,
  type Snapshot,
  decodeContextInfo,
} from "@taskmuster/kvs/protocol";

/**
 * What contexts have used of their limits (`-C`), as far as a driver can tell when the store has forgotten: engines that announce themselves
 * tell what they have ever claimed; of others there are their reports, and what they had claimed when they were expelled.
 */
export class Spending {
  readonly #contextOf = new Map<EngineId, ContextId>();
  readonly #claimed = new Map<EngineId, number>();
  readonly #unreported = new Map<EngineId, number>();
  /** By whomever, when this driver took the run over: of engines that were gone by then nobody else tells. */
  readonly #before = new Map<ContextId, number>();
  #limited: ReadonlySet<ContextId> = new Set();
  /** Those whose limits this life of the store knows; null: it is the first one, which knows all. */
  #granted: Set<ContextId> | null = null;

  /** What the store knew when this driver took the run over. */
  onTakenOver({ contexts }: Snapshot): void {
    for (const { context, credit, info } of contexts) {
      if (credit !== null) this.#before.set(context, (limitOf(info) ?? credit) - credit);
    }
  }

  /** Engines of contexts with a limit are kept in mind. */
  onSnapshot({ contexts, engines }: Snapshot): void {
    const limited = new Set(contexts.filter(({ credit }) => credit !== null).map(({ context }) => context));
    this.#limited = limited;
    if (limited.size === 0) return;
    for (const { engine, context } of engines) if (limited.has(context)) this.#contextOf.set(engine, context);
  }

  /** What was announced to an earlier life counts no more. */
  onForgotten(): void {
    this.#claimed.clear();
    this.#granted = new Set();
  }

  /** It is known what was used of limits. Answers whose are to be granted. */
  onSettled(): ReadonlySet<ContextId> {
    this.#granted = new Set(this.#limited);
    return this.#limited;
  }

  /** Contexts that came back when all was settled already, and of whose limits nothing was granted yet; told once. */
  late({ contexts }: Snapshot): ReadonlySet<ContextId> {
    const granted = this.#granted;
    if (granted === null) return none;
    const late = contexts.filter(({ context, credit }) => credit === 0 && !granted.has(context));
    for (const { context } of late) granted.add(context);
    return new Set(late.map(({ context }) => context));
  }

  onAnnounced({ engine, context }: EngineSnapshot, claimed: number): void {
    this.#contextOf.set(engine, context);
    this.#claimed.set(engine, claimed);
  }

  /** `unreported`: what it had claimed then, and not reported. */
  onExpelled(engine: EngineId, unreported: number): void {
    if (this.#contextOf.has(engine)) this.#unreported.set(engine, unreported);
  }

  /** `reported`: tasks whose ends an engine has told. */
  of(context: ContextId, reported: (engine: EngineId) => number): number {
    let used = 0;
    for (const [engine, its] of this.#contextOf) {
      if (its !== context) continue;
      used += this.#claimed.get(engine) ?? reported(engine) + (this.#unreported.get(engine) ?? 0);
    }
    return Math.max(used, this.#before.get(context) ?? 0);
  }
}

/** Null: it has none, or says nothing that makes sense. */
function limitOf(info: Uint8Array): number | null {
  try {
    return decodeContextInfo(info).limit;
  } catch {
    return null;
  }
}

const none: ReadonlySet<ContextId> = new Set();
