import type { EnrolAnswer, EnrolRequest } from "@taskmuster/kvs";
import type { MemoryServer } from "@taskmuster/kvs/memory";
import { type EngineId, type RunId, decodeEngineInfo, decodeReport } from "@taskmuster/kvs/protocol";
import { queuedTasks } from "../../../packages/kvs/src/memory/run.js";
import type { SafeFiles, Truth } from "./truth.js";

/** What can be seen in the store itself. */
export class StoreChecks {
  readonly #memory: MemoryServer;
  readonly #truth: Truth;
  /** Nonces of contexts. */
  readonly #names = new Map<string, string>();
  readonly #shared = new Set<string>();
  readonly #safeFiles: (run: RunId) => SafeFiles;

  constructor(memory: MemoryServer, truth: Truth, safeFiles: (run: RunId) => SafeFiles) {
    this.#memory = memory;
    this.#truth = truth;
    this.#safeFiles = safeFiles;
  }

  /** I3, before it is done. */
  onAcknowledge(id: RunId, [token, upTo]: readonly unknown[]): void {
    const run = this.#memory.runs.get(id);
    if (run === undefined || run.token !== token || run.epoch !== this.#memory.life) return;
    const dropped = run.reports.slice(0, Math.max(0, Number(upTo) - run.acknowledged));
    const safe = this.#safeFiles(id);
    for (const { body } of dropped) this.#truth.onDropped(decodeReport(body), safe);
  }

  /** I5: of contexts none of whose claims are under way. */
  onExchanged(id: RunId, engine: EngineId): void {
    const run = this.#memory.runs.get(id);
    const asked = run?.engines.get(engine);
    // The store has forgotten the context, and nobody has told it yet that there is a limit: that is not promised.
    if (asked !== undefined && asked.claims.size > 0 && run?.enrolments.has(asked.context) === false)
      this.#truth.unlimit(`${id}/${asked.context}`);
    for (const [context, { credit }] of run?.contexts ?? []) {
      if (run === undefined || credit === undefined) continue;
      const members = [...run.engines.values()].filter((member) => member.context === context);
      // What an engine held that was given up is not given back.
      if (members.some(({ state, claims }) => state === "expelled" || claims.size > 0)) continue;
      this.#truth.onCredit(`${id}/${context}`, credit, this.#memory.life > 1);
    }
  }

  /** A context that comes back, and whose name a newcomer has: their limits are one. That is not promised. */
  onEnrolled(id: RunId, { label, nonce }: EnrolRequest, answer: EnrolAnswer): void {
    if (answer.kind !== "enrolled") return;
    const name = `${id}/${answer.context}`;
    const isTheirs = (this.#names.get(name) ?? nonce) !== nonce;
    this.#names.set(name, nonce);
    if (isTheirs) this.#shared.add(name);
    if (!label.includes("#") && label !== answer.context) this.#shared.add(`${id}/${label}`).add(name);
    for (const each of this.#shared) this.#truth.unlimit(each);
  }

  /** Of drivers only the one with the newest token acts. */
  onDriverVerb(id: RunId, verb: string, [token]: readonly unknown[]): void {
    const run = this.#memory.runs.get(id);
    if (run !== undefined && driverVerbs.has(verb) && token !== run.token)
      this.#truth.fail("two drivers", `a driver that was replaced does ${verb}`);
  }

  /** I6. */
  onPublished(id: RunId): void {
    const run = this.#memory.runs.get(id);
    if (run === undefined) return;
    let [held, slots] = [queuedTasks(run), 0];
    for (const { claims, info } of run.engines.values()) {
      held += claims.size;
      slots += decodeEngineInfo(info).slots;
    }
    const most = Math.max(mostOfFew, 2 * slots);
    if (held > most) this.#truth.fail("I6", `${held} tasks stand in the store, for ${slots} slots`);
  }
}

export const driverVerbs: ReadonlySet<string> = new Set([
  "restore",
  "greet",
  "publish",
  "withdraw",
  "receive",
  "acknowledge",
  "order",
  "expel",
  "expire",
  "beat",
  "post",
]);

/** A window for short tasks may be this large. */
const mostOfFew = 120;
