import { MalformedMessageError } from "@taskmuster/kvs";
import {
  type EngineId,
  type EngineSnapshot,
  type FencingToken,
  type Snapshot,
  decodeEngineInfo,
  decodeEngineStats,
} from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import { BlackHoles } from "./core/black-holes.js";
import type { DriverCore, ReceivedFrom } from "./core/driver-core.js";
import { isEnd } from "./core/report-end.js";
import { Survivors } from "./core/survivors.js";
import { type RunningEngine, TightEngines } from "./core/tight-engines.js";
import type { LedgerEntry } from "./ledger-file.js";
import type { DriverStore } from "./store/driver-store.js";

interface HealthParts {
  readonly store: Pick<DriverStore, "claimsOf" | "order" | "snapshot">;
  readonly token: FencingToken;
  readonly core: DriverCore;
  readonly log: Logger;
  /** Engines on which everything fails at once are told to leave. */
  readonly drainsFailing: boolean;
}

interface HealthEvents {
  /** For people. */
  onNotice(message: string): void;
  note(entry: LedgerEntry): void;
}

/** A failure within so many seconds may be a black hole's. */
const quickSeconds = 5;
/** An engine that cannot start anything for so long goes, if others are there. */
const shutMs = 30_000;
const mostDrained = 50;
/** When somebody is suspected: of so many others, and so many tasks of each, it is asked what runs on. */
const mostOthers = 8;
const mostClaims = 256;
const checkEveryMs = 250;

/** Tells engines to leave that do more harm than good: whose nodes cannot run anything, or fail everything. Never the last one. */
export class EngineHealth {
  readonly #parts: HealthParts;
  readonly #events: HealthEvents;
  readonly #tight = new TightEngines(shutMs);
  readonly #holes: BlackHoles;
  readonly #survivors = new Map<EngineId, Survivors>();
  readonly #drained = new Map<EngineId, string>();
  #checkedAt = -Infinity;
  #checking: Promise<void> | null = null;

  constructor(parts: HealthParts, events: HealthEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#holes = new BlackHoles({ published: () => parts.core.published });
  }

  /** Why engines were told to leave, the newest last. */
  get drained(): ReadonlyMap<EngineId, string> {
    return this.#drained;
  }

  /** On the way of every task: does next to nothing as long as nobody is suspected. */
  onReports(received: readonly ReceivedFrom[]): void {
    if (!this.#parts.drainsFailing) return;
    for (const { engine, report } of received) {
      if (report.attempt !== 1 || report.kind !== "task" || !isEnd(report)) continue;
      const { outcome, elapsed } = report;
      const succeeded = outcome.kind === "exited" && outcome.code === 0;
      this.#holes.onEnd(engine, report.id, !succeeded && elapsed < quickSeconds);
    }
    if (this.#holes.mixes) this.#parts.core.mixTasks();
    if (this.#holes.suspects.length > 0) this.#checkSoon();
  }

  /** With every look at who is there. */
  async look(snapshot: Snapshot): Promise<void> {
    const engines = runningOf(snapshot.engines);
    for (const word of this.#tight.look(engines, performance.now())) {
      if (word.kind === "say") this.#say(word.message);
      else {
        await this.#drain(word.engine, word.why);
        this.#say(word.message);
      }
    }
    if (!this.#parts.drainsFailing) return;
    this.#holes.setEngines(engines);
    await this.#lookAtClaims(engines);
    await this.#convict(engines);
  }

  #checkSoon(): void {
    if (this.#checking !== null || performance.now() - this.#checkedAt < checkEveryMs) return;
    this.#checkedAt = performance.now();
    if (this.#holes.convicted().length === 0) return;
    this.#checking = this.#parts.store
      .snapshot()
      .then(({ engines }) => this.#convict(runningOf(engines)))
      // A store that is gone is noticed by whoever needs it.
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, "engines were not judged"))
      .finally(() => (this.#checking = null));
  }

  /** What runs on has not failed at once: on suspects, and on some of those that they are compared with. */
  async #lookAtClaims(engines: readonly RunningEngine[]): Promise<void> {
    const { suspects } = this.#holes;
    const others = engines.map(({ engine }) => engine).filter((engine) => !suspects.includes(engine));
    const asked = suspects.length === 0 ? [] : [...suspects, ...others.slice(0, mostOthers)];
    for (const engine of this.#survivors.keys()) if (!asked.includes(engine)) this.#survivors.delete(engine);
    for (const engine of asked) {
      const claims = await this.#parts.store.claimsOf(engine, mostClaims);
      const seen = this.#survivors.get(engine) ?? new Survivors(quickSeconds * 1000);
      this.#survivors.set(engine, seen);
      const first = claims.filter(({ attempt }) => attempt === 1).map(({ id }) => id);
      for (const task of seen.look(first, performance.now())) this.#holes.onSurvived(engine, task);
    }
  }

  async #convict(engines: readonly RunningEngine[]): Promise<void> {
    const suspects = new Set(this.#holes.suspects);
    // Somebody must be there of whom there is no such suspicion.
    if (!engines.some(({ engine, usable }) => usable > 0 && !suspects.has(engine))) return;
    for (const { engine, failed } of this.#holes.convicted()) {
      const name = engines.find((each) => each.engine === engine)?.name;
      if (name === undefined || this.#drained.has(engine)) continue;
      await this.#drain(engine, "everything fails there at once");
      this.#parts.log.warn({ engine, name, failed }, "black hole: drained");
      this.#events.note({ kind: "blackHole", at: new Date().toISOString(), engine, name, failed });
      this.#say(
        `${name} is to leave: the last ${failed} tasks there failed within seconds, and others do not. ` +
          `What failed stands in the status file; -r with -R runs it again`,
      );
    }
  }

  async #drain(engine: EngineId, why: string): Promise<void> {
    if (this.#drained.has(engine)) return;
    const { store, token } = this.#parts;
    this.#drained.set(engine, why);
    const [oldest] = this.#drained.keys();
    if (this.#drained.size > mostDrained && oldest !== undefined) this.#drained.delete(oldest);
    await store.order(token, { kind: "engine", engine }, "drain");
  }

  #say(message: string): void {
    this.#parts.log.warn({ message }, "an engine's node has trouble");
    this.#events.onNotice(message);
  }
}

/** Those that are to run tasks, and do not say otherwise. */
function runningOf(engines: readonly EngineSnapshot[]): readonly RunningEngine[] {
  return engines.flatMap(({ engine, rank, info, stats, state, wanted }) => {
    if (state !== "member" || wanted !== "run") return [];
    try {
      const said = stats.length === 0 ? null : decodeEngineStats(stats);
      if (said?.state === "draining") return [];
      const { host, slots } = decodeEngineInfo(info);
      const { outOf, usable } = said ?? { outOf: "", usable: slots };
      return [{ engine, name: `engine ${rank} on ${host}`, slots, outOf, usable }];
    } catch (error) {
      // What cannot be read is refused elsewhere, with a word.
      if (error instanceof MalformedMessageError) return [];
      throw error;
    }
  });
}
