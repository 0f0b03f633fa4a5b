import type { KvsStore } from "@taskmuster/kvs";
import {
  type ContextId,
  type EngineId,
  type EngineSnapshot,
  type FencingToken,
  decodeEngineInfo,
} from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import type { DriverCore, ReceivedFrom } from "./core/driver-core.js";
import { Leases } from "./core/leases.js";
import type { LedgerEntry } from "./ledger-file.js";
import type { RunContext } from "./run-context.js";

interface MembersParts {
  readonly store: KvsStore;
  readonly token: FencingToken;
  readonly core: DriverCore;
  readonly contexts: readonly RunContext[];
  readonly log: Logger;
  readonly leaseMs: number;
}

interface MembersEvents {
  /** Tasks of a lost engine are to be offered again. */
  onNews(): void;
  note(entry: LedgerEntry): void;
}

/** Who works for this run: engines that are heard of, lost, or have done what their context may do. */
export class Members {
  readonly #parts: MembersParts;
  readonly #events: MembersEvents;
  readonly #leases: Leases;
  readonly #limits: Map<ContextId, number>;
  readonly #contextOf = new Map<EngineId, ContextId>();
  #joined = false;
  /** Why the last context went, for people. */
  lastMessage = "";

  constructor(parts: MembersParts, events: MembersEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#leases = new Leases(parts.leaseMs);
    this.#limits = new Map(
      parts.contexts.flatMap((context) =>
        context.taskLimit === null ? [] : [[context.id, context.taskLimit] as const],
      ),
    );
  }

  /** Whether any engine has ever been seen here. */
  get anyJoined(): boolean {
    return this.#joined;
  }

  /** To be called every `everyMs`: counts, and expels whose lease has run out. */
  async look(everyMs: number): Promise<void> {
    const snapshot = await this.#parts.store.snapshot();
    this.#joined ||= snapshot.engines.length > 0;
    const members = snapshot.engines.filter((engine) => engine.state === "member");
    if (members.length > 0) {
      this.#parts.core.onMembers({
        engines: members.length,
        slots: members.reduce((sum, engine) => sum + decodeEngineInfo(engine.info).slots, 0),
        claimed: members.reduce((sum, engine) => sum + engine.claims, 0),
      });
    }
    for (const engine of this.#leases.look(members, performance.now(), everyMs)) {
      await this.#expel(engine, "its lease ran out");
    }
  }

  /** Everything of the context is dead, by proof: what its engines had claimed need not wait for a lease. */
  async contextGone(context: RunContext, message: string): Promise<void> {
    if (message !== "") {
      this.#parts.log.error({ context: context.id, message }, "context failed");
      if (this.lastMessage === "") this.lastMessage = message;
    }
    const snapshot = await this.#parts.store.snapshot();
    for (const engine of snapshot.engines) {
      if (engine.context === context.id && engine.state === "member") await this.#expel(engine, message);
    }
  }

  /** A context that has run all the tasks it may (`-C`) goes; the store saw to it that it claimed no more. */
  async retireSpent(received: readonly ReceivedFrom[]): Promise<void> {
    if (this.#limits.size === 0) return;
    const { store, token } = this.#parts;
    for (const { engine, report } of received) {
      if (report.kind !== "task" || report.outcome.kind === "cancelled" || report.outcome.kind === "lost")
        continue;
      const context = this.#contextOf.get(engine) ?? (await this.#lookUpContext(engine));
      const left = context === undefined ? undefined : this.#limits.get(context);
      if (context === undefined || left === undefined) continue;
      this.#limits.set(context, left - 1);
      if (left !== 1) continue;
      this.#limits.delete(context);
      this.#parts.log.info({ context }, "task limit reached");
      this.lastMessage = `context ${context} has run as many tasks as it may (-C)`;
      await store.order(token, { kind: "context", context }, "drain");
    }
  }

  async #expel(engine: EngineSnapshot, why: string): Promise<void> {
    const { core, store, token, log } = this.#parts;
    const claims = await store.expel(token, engine.engine);
    log.warn({ engine: engine.engine, rank: engine.rank, why, claims: claims.length }, "engine lost");
    this.#events.note({
      kind: "lostEngine",
      at: new Date().toISOString(),
      engine: engine.engine,
      rank: engine.rank,
      why,
      tasks: claims,
    });
    core.onEngineLost(claims, Date.now());
    this.#events.onNews();
  }

  async #lookUpContext(engine: EngineId): Promise<ContextId | undefined> {
    for (const known of (await this.#parts.store.snapshot()).engines)
      this.#contextOf.set(known.engine, known.context);
    return this.#contextOf.get(engine);
  }
}
