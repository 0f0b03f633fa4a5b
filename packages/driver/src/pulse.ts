import { setTimeout as delay } from "node:timers/promises";
import {
  type EngineId,
  type FencingToken,
  type Request,
  contextId,
  encodeRunState,
  engineId,
} from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import type { DriverCore } from "./core/driver-core.js";
import { type RunFacts, runStateOf } from "./core/run-state-of.js";
import type { Members } from "./members.js";
import type { Presence } from "./presence.js";
import type { Refusals } from "./refusals.js";
import { Requests } from "./requests.js";
import type { RunContext } from "./run-context.js";
import type { DriverStore } from "./store/driver-store.js";

interface PulseParts {
  readonly store: DriverStore;
  readonly token: FencingToken;
  readonly core: DriverCore;
  readonly facts: RunFacts;
  readonly contexts: readonly RunContext[];
  readonly log: Logger;
  readonly leaseMs: number;
  readonly onNotice: (message: string) => void;
}

/** What others may want of the run as a whole. */
interface Orders {
  drain(by: string): void;
  stop(by: string): void;
  kill(): void;
}

const beatMs = 1_000;
const sweepMs = 5_000;

/** How often somebody looks who is there. */
export function lookEveryMs(leaseMs: number): number {
  return Math.min(sweepMs, leaseMs / 10);
}

/** Once a second: says that the driver lives and how the run is doing, hears what others ask, and looks who is there. */
export class Pulse {
  readonly #parts: PulseParts;
  readonly #members: Members;
  readonly #presence: Presence;
  readonly #orders: Orders;
  readonly #requests: Requests;
  readonly #refusals: Refusals;
  readonly #late = new Set<EngineId>();

  constructor(parts: PulseParts, members: Members, presence: Presence, orders: Orders, refusals: Refusals) {
    this.#parts = parts;
    this.#refusals = refusals;
    this.#members = members;
    this.#presence = presence;
    this.#orders = orders;
    this.#requests = new Requests(
      {
        order: (request) => this.#onOrder(request),
        dead: ({ engine, why }) => members.expel(engineId(engine), why),
      },
      parts.log,
      refusals,
    );
  }

  /** Until `signal`. Rejects when the store is lost. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, token, core, facts, leaseMs, contexts } = this.#parts;
    const everyMs = lookEveryMs(leaseMs);
    const startedAt = performance.now();
    let lookedAt = -Infinity;
    while (!signal.aborted) {
      const state = encodeRunState(runStateOf(facts, core.view, this.#members.health.drained, Date.now()));
      await this.#requests.take(await store.beat(token, { state, handled: this.#requests.handled }));
      if (performance.now() - lookedAt >= everyMs || core.phase !== "running") {
        lookedAt = performance.now();
        await this.#presence.lookNow();
      }
      for (const context of contexts) this.#dropLate(context, performance.now() - startedAt);
      await delay(Math.min(beatMs, everyMs), undefined, { signal }).catch(() => undefined);
    }
  }

  /** An engine that has not joined by then hangs in its own start. */
  #dropLate(context: RunContext, ms: number): void {
    if (context.startMs === 0 || ms < context.startMs) return;
    const late = context.engines.filter(
      (engine) => !this.#members.hasJoined(engine) && !this.#late.has(engine),
    );
    if (late.length === 0) return;
    const why = `its engine has not joined within ${context.startMs / 1000} s`;
    this.#members.lastMessage = `${late.length === 1 ? "an engine has" : `${late.length} engines have`} not joined in time`;
    for (const engine of late) {
      this.#late.add(engine);
      context.drop(engine, why);
    }
  }

  /** Somebody else asks for it: a person, by `dbutil` or the monitor. */
  async #onOrder({ scope, name, wanted, by }: Extract<Request, { kind: "order" }>): Promise<void> {
    const { store, token, onNotice } = this.#parts;
    const drain = wanted === "drain";
    switch (scope) {
      case "run": {
        const asked = `${drain ? "dbutil stop" : "dbutil stop --now"} (${by})`;
        onNotice(`${asked}: ${drain ? "finishing what runs, then ending" : "stopping what runs"}.`);
        if (drain) this.#orders.drain(asked);
        else this.#orders.stop(asked);
        return;
      }
      case "context":
        if (!(await store.snapshot()).contexts.some(({ context }) => context === name))
          return this.#refusals.refuse("request", by, `there is no context ${JSON.stringify(name)}`);
        await store.order(token, { kind: "context", context: contextId(name) }, wanted);
        break;
      case "engine":
        if (!(await store.snapshot()).engines.some(({ engine }) => engine === name))
          return this.#refusals.refuse("request", by, `there is no engine ${name}`);
        await store.order(token, { kind: "engine", engine: engineId(name) }, wanted);
    }
    const what = scope === "engine" ? await this.#members.nameOf(engineId(name)) : `context ${name}`;
    onNotice(`${what} is to ${drain ? "finish what it runs and leave" : "stop"} (asked by ${by})`);
  }
}
