import {
  type ClaimedTask,
  type ContextId,
  type EngineId,
  type EngineSnapshot,
  type FencingToken,
  type Snapshot,
} from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import type { DriverCore } from "./core/driver-core.js";
import { Leases } from "./core/leases.js";
import { EngineHealth } from "./engine-health.js";
import { EngineInfos } from "./engine-infos.js";
import type { LedgerEntry } from "./ledger-file.js";
import type { Refusals } from "./refusals.js";
import type { EngineGone } from "./run-context.js";
import type { DriverStore } from "./store/driver-store.js";

interface MembersParts {
  readonly store: DriverStore;
  readonly token: FencingToken;
  readonly core: DriverCore;
  readonly log: Logger;
  readonly leaseMs: number;
  readonly drainsFailing: boolean;
}

interface MembersEvents {
  /** Tasks of a lost engine are to be offered again. */
  onNews(): void;
  onExpelled(engine: EngineId): void;
  /** For people. */
  onNotice(message: string): void;
  note(entry: LedgerEntry): void;
}

/** Who works for this run, wherever they were started: engines that are heard of, lost, or have done what their context may do. */
export class Members {
  readonly health: EngineHealth;
  readonly #parts: MembersParts;
  readonly #events: MembersEvents;
  readonly #leases: Leases;
  readonly #infos: EngineInfos;
  readonly #spent = new Set<ContextId>();
  /** As the log has told of them. */
  readonly #told = new Map<EngineId, EngineSnapshot["state"]>();
  #joined = false;
  #present = 0;
  #limited = false;
  /** Why the last ones went, for people. */
  lastMessage = "";

  constructor(parts: MembersParts, refusals: Refusals, events: MembersEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#infos = new EngineInfos(({ engine }, why) =>
      refusals.refuse("engine info", `engine ${engine}`, why),
    );
    this.#leases = new Leases(parts.leaseMs);
    this.health = new EngineHealth(parts, events);
  }

  /** Whether this engine has ever been seen here. */
  hasJoined(engine: EngineId): boolean {
    return this.#told.has(engine);
  }

  /** Engines that had joined and not left, at the last look. */
  get present(): number {
    return this.#present;
  }

  /** Some context may run only so many tasks: somebody must look whether it has. */
  get limited(): boolean {
    return this.#limited;
  }

  /** A context of our own has failed as a whole. */
  contextFailed(context: ContextId, message: string): void {
    this.#parts.log.error({ context, message }, "context failed");
    if (this.lastMessage === "") this.lastMessage = message;
  }

  /** To be called every `everyMs`: counts, and expels whose lease has run out. */
  async look(everyMs: number): Promise<void> {
    const snapshot = await this.#parts.store.snapshot();
    const members = snapshot.engines.filter((engine) => engine.state === "member");
    this.#joined ||= snapshot.engines.length > 0;
    const lost = this.#leases.look(members, performance.now(), everyMs);
    this.#tell(snapshot.engines);
    this.#count(members.filter((engine) => !lost.includes(engine)));
    for (const engine of lost) await this.#expire(engine);
    await this.#stopRefused(members);
    await this.#retireSpent(snapshot);
    if (this.#parts.core.phase === "running") await this.health.look(snapshot);
  }

  /** An engine that we started has ended. What it had claimed need not wait for a lease, if it is dead for certain. */
  async engineGone(engine: EngineId, gone: EngineGone): Promise<void> {
    if (!gone.ok) {
      this.#parts.log.error({ engine, message: gone.message, proven: gone.proven }, "engine ended badly");
      this.lastMessage = gone.message;
    }
    if (gone.proven) await this.expel(engine, gone.message === "" ? "its process ended" : gone.message);
  }

  /** An engine that is a member is none from now on; what it had claimed is offered again. */
  async expel(engine: EngineId, why: string): Promise<void> {
    const { engines } = await this.#parts.store.snapshot();
    const members = engines.filter(({ state }) => state === "member");
    const found = members.find((each) => each.engine === engine);
    if (found === undefined) return;
    await this.#expel(found, why);
    this.#count(members.filter((each) => each !== found));
  }

  /** They were told to go and did not, or nobody wants to wait for them: they learn it when they ask. */
  async expelAll(why: string): Promise<void> {
    for (const engine of (await this.#parts.store.snapshot()).engines) {
      if (engine.state === "member") await this.#expel(engine, why);
    }
    this.#count([]);
  }

  /** As people know it. */
  async nameOf(engine: EngineId): Promise<string> {
    const found = (await this.#parts.store.snapshot()).engines.find((each) => each.engine === engine);
    return found === undefined ? `engine ${engine}` : `engine ${found.rank} on ${this.#infos.of(found).host}`;
  }

  /** For whoever reads the log later: who came and went. */
  #tell(engines: readonly EngineSnapshot[]): void {
    for (const each of engines) {
      const { engine, rank, context, state, why } = each;
      const told = this.#told.get(engine);
      if (told === state) continue;
      this.#told.set(engine, state);
      const { host, slots } = this.#infos.of(each);
      if (told === undefined) this.#parts.log.info({ engine, rank, context, host, slots }, "engine joined");
      // Of those that are expelled the log is told when that is done.
      if (state === "left") this.#parts.log.info({ engine, rank, host, why }, "engine left");
    }
    if (this.#told.size <= engines.length) return;
    // The store forgets those that are long gone.
    const known = new Set(engines.map(({ engine }) => engine));
    for (const engine of this.#told.keys()) if (!known.has(engine)) this.#told.delete(engine);
    this.#infos.keep(known);
  }

  #count(members: readonly EngineSnapshot[]): void {
    this.#present = members.length;
    // Before the first has joined, the contexts' own word holds.
    if (!this.#joined) return;
    this.#parts.core.onMembers({
      engines: members.length,
      slots: members.reduce((sum, engine) => sum + this.#infos.of(engine).slots, 0),
      claimed: members.reduce((sum, engine) => sum + engine.claims, 0),
    });
  }

  /** Whom we do not understand may not understand its tasks either. It is told, not expelled: what it runs is not dead yet. */
  async #stopRefused(members: readonly EngineSnapshot[]): Promise<void> {
    const { store, token, log } = this.#parts;
    for (const { engine, wanted } of members) {
      if (!this.#infos.isRefused(engine) || wanted === "stop") continue;
      log.warn({ engine }, "told to stop: it cannot be understood");
      await store.order(token, { kind: "engine", engine }, "stop");
    }
  }

  /** A context that has run all the tasks it may (`-C`) goes; the store saw to it that it claimed no more. */
  async #retireSpent({ contexts, engines }: Snapshot): Promise<void> {
    const { store, token, log } = this.#parts;
    // Until it is known what was used of limits nothing is granted.
    if (store.reuniting === true) return;
    const limited = contexts.filter(({ credit, context }) => credit !== null && !this.#spent.has(context));
    this.#limited = limited.length > 0;
    for (const { context, credit } of limited) {
      const ofIt = engines.filter((engine) => engine.context === context);
      // A claim that is still held may come back with its credit.
      if (credit !== 0 || ofIt.length === 0 || ofIt.some(({ claims }) => claims > 0)) continue;
      this.#spent.add(context);
      log.info({ context }, "task limit reached");
      this.lastMessage = `context ${context} has run as many tasks as it may (-C)`;
      await store.order(token, { kind: "context", context }, "drain");
    }
  }

  async #expel(engine: EngineSnapshot, why: string): Promise<void> {
    const { store, token } = this.#parts;
    this.#onExpelled(engine, why, await store.expel(token, engine.engine, why));
  }

  /** It may have come back since the snapshot was taken, and have claimed and started something: then it is not lost. */
  async #expire(engine: EngineSnapshot): Promise<void> {
    const { store, token } = this.#parts;
    const why = "its lease ran out";
    const claims = await store.expire(token, engine.engine, why, engine.renewal);
    if (claims !== null) this.#onExpelled(engine, why, claims);
  }

  #onExpelled(engine: EngineSnapshot, why: string, claims: readonly ClaimedTask[]): void {
    const { core, log } = this.#parts;
    const { host, slots } = this.#infos.of(engine);
    log.warn({ engine: engine.engine, rank: engine.rank, host, why, claims: claims.length }, "engine lost");
    this.#events.onNotice(
      `engine ${engine.rank} on ${host} is lost (${why})${claims.length === 0 ? "" : `; what it had of tasks, ${claims.length}, is offered again`}`,
    );
    this.#events.note({
      kind: "lostEngine",
      at: new Date().toISOString(),
      engine: engine.engine,
      rank: engine.rank,
      host,
      why,
      tasks: claims,
    });
    core.onEngineLost(claims, Date.now(), slots);
    this.#events.onExpelled(engine.engine);
    this.#events.onNews();
  }
}
