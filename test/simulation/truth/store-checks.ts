import type { EnrolAnswer, EnrolRequest } from "@taskmuster/kvs";
import type { MemoryServer } from "@taskmuster/kvs/memory";
import { type EngineId, type RunId, decodeEngineInfo, decodeReport } from "@taskmuster/kvs/protocol";
import { queuedTasks } from "../../../packages/kvs/src/memory/run.js";
import type { Truth } from "./truth.js";

/** What can be seen in the store itself. */
export class StoreChecks {
  readonly #memory: MemoryServer;
  readonly #truth: Truth;
  readonly #safeRows: (run: RunId) => Buffer;

  /** `safeRows`: the status file as it would be after a power cut. */
  constructor(memory: MemoryServer, truth: Truth, safeRows: (run: RunId) => Buffer) {
    this.#memory = memory;
    this.#truth = truth;
    this.#safeRows = safeRows;
  }

  /** I3, before it is done. */
  onAcknowledge(id: RunId, [token, upTo]: readonly unknown[]): void {
    const run = this.#memory.runs.get(id);
    if (run === undefined || run.token !== token || run.epoch !== this.#memory.life) return;
    const dropped = run.reports.slice(0, Math.max(0, Number(upTo) - run.acknowledged));
    for (const { body } of dropped) this.#truth.onDropped(decodeReport(body), this.#safeRows(id));
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
  onEnrolled(id: RunId, { label }: EnrolRequest, answer: EnrolAnswer): void {
    if (answer.kind !== "enrolled" || label.includes("#") || label === answer.context) return;
    this.#truth.unlimit(`${id}/${label}`);
    this.#truth.unlimit(`${id}/${answer.context}`);
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

/** A window for short tasks may be this large. */
const mostOfFew = 120;
