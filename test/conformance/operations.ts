import type { ExchangeRequest, FencingToken, KvsStore, QueuedTask, Scope, Wanted } from "@taskmuster/kvs";
import { type EngineId, type NeedsKey, contextId, engineId, needsKey } from "@taskmuster/kvs/protocol";
import fc from "fast-check";
import { bytes, task } from "./actors.js";

/** One random step; picks are taken modulo what there is to pick from. */
export type Operation =
  | { readonly kind: "open" }
  /** The last verb of the driver once more, as after a lost answer. */
  | { readonly kind: "repeat" }
  | {
      readonly kind: "publish";
      readonly needs: readonly number[];
      readonly front: boolean;
      readonly repeat: boolean;
    }
  | { readonly kind: "withdraw"; readonly pick: number; readonly tries: number }
  | { readonly kind: "receive"; readonly max: number }
  | { readonly kind: "acknowledge"; readonly ahead: number }
  | {
      readonly kind: "order";
      readonly scope: "run" | "context" | "engine";
      readonly pick: number;
      readonly wanted: Wanted;
    }
  | { readonly kind: "limit"; readonly pick: number; readonly tasks: number }
  | { readonly kind: "expel"; readonly pick: number }
  | { readonly kind: "beat" }
  | { readonly kind: "post"; readonly key: string; readonly value: string }
  | { readonly kind: "close" }
  | { readonly kind: "join"; readonly pick: number }
  | {
      readonly kind: "exchange";
      readonly pick: number;
      readonly seq: "next" | "same" | "old";
      readonly finish: number;
      readonly release: number;
      readonly wants: readonly (readonly [number, number])[];
      readonly maxBytes: number;
      readonly idleSlots: number;
      readonly awaits: boolean;
    }
  | { readonly kind: "renew"; readonly pick: number; readonly counter: number }
  | { readonly kind: "leave"; readonly pick: number }
  | { readonly kind: "bell"; readonly pick: number };

const pick = fc.nat(3);
const small = fc.nat(4);

const exchange = fc.record({
  kind: fc.constant("exchange" as const),
  pick,
  seq: fc.oneof(
    { weight: 8, arbitrary: fc.constant("next" as const) },
    { weight: 2, arbitrary: fc.constant("same" as const) },
    { weight: 1, arbitrary: fc.constant("old" as const) },
  ),
  finish: fc.constantFrom(0, 0, 1, 2),
  release: fc.constantFrom(0, 0, 1, 2),
  wants: fc.array(fc.tuple(fc.constantFrom(0, 0, 0, 1, 2), fc.nat(5)), { maxLength: 2 }),
  maxBytes: fc.constantFrom(0, 14, 1_000, 1_000),
  idleSlots: small,
  awaits: fc.boolean(),
});

/** Without it most random sequences are about nobody. */
export const prelude: readonly Operation[] = [
  { kind: "open" },
  ...[0, 1, 2].map((at) => ({ kind: "join" as const, pick: at })),
  { kind: "publish", needs: [0, 0, 0, 1, 0], front: false, repeat: false },
];

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 12, arbitrary: exchange },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      needs: fc.array(fc.constantFrom(0, 0, 0, 1, 2), { maxLength: 5 }),
      front: fc.boolean(),
      repeat: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("join" as const), pick }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("bell" as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("receive" as const), max: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("acknowledge" as const),
      ahead: fc.integer({ min: -1, max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("withdraw" as const),
      pick: fc.nat(30),
      tries: fc.integer({ min: 1, max: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("order" as const),
      scope: fc.constantFrom("run" as const, "context" as const, "engine" as const),
      pick,
      wanted: fc.constantFrom(
        "run" as const,
        "run" as const,
        "run" as const,
        "drain" as const,
        "stop" as const,
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("limit" as const), pick, tasks: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("expel" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("renew" as const), pick, counter: small }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("post" as const),
      key: fc.constantFrom("a", "b"),
      value: fc.constantFrom("1", "2"),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "beat" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "open" as const }) },
  { weight: 4, arbitrary: fc.constant({ kind: "repeat" as const }) },
);

const engines = ["enginea0", "engineb1", "enginec2", "engined3"].map(engineId);
const needs: readonly NeedsKey[] = [1, 2, 8].map((cores) => needsKey({ cores }));

interface EngineMemory {
  seq: number;
  reports: number;
  held: QueuedTask[];
  last: ExchangeRequest | undefined;
}

/** Does operations on one store, choosing by what this store answered before. */
export class Player {
  readonly #store: KvsStore;
  readonly #memory = new Map<EngineId, EngineMemory>();
  readonly #published: QueuedTask[] = [];
  #token: FencingToken = 1;
  #number = 0;
  #position = 0;
  #lastVerb: () => Promise<unknown> = async () => undefined;

  constructor(store: KvsStore) {
    this.#store = store;
  }

  async play(step: Operation): Promise<unknown> {
    const store = this.#store;
    const token = this.#token;
    switch (step.kind) {
      case "open":
        this.#number = 0;
        this.#token = await store.open(bytes("info"));
        return this.#token;
      case "publish":
        return this.#publish(step);
      case "repeat":
        return this.#lastVerb();
      case "withdraw": {
        const known = this.#published[step.pick % Math.max(this.#published.length, 1)] ?? task(0);
        const chosen = step.tries === 1 ? known : task(known.id, { tries: 2, needs: known.needs });
        return this.#verb(() => store.withdraw(token, chosen));
      }
      case "receive": {
        const received = await store.receive(token, step.max);
        this.#position = received.from;
        return received;
      }
      case "acknowledge": {
        const upTo = this.#position + step.ahead;
        return this.#verb(() => store.acknowledge(token, upTo));
      }
      case "order":
        return this.#verb(() => store.order(token, this.#scope(step.scope, step.pick), step.wanted));
      case "limit":
        return this.#verb(() => store.limit(token, contextOf(step.pick), step.tasks));
      case "expel":
        return this.#verb(() => store.expel(token, engineOf(step.pick)));
      case "beat":
        return store.beat(token);
      case "post":
        return this.#verb(() => store.post(token, step.key, step.value));
      case "close":
        return store.close(token);
      case "join":
        return store.join({
          engine: engineOf(step.pick),
          context: contextOf(step.pick),
          info: bytes(`info ${step.pick}`),
        });
      case "exchange":
        return this.#exchange(step);
      case "renew":
        return store.renew({
          engine: engineOf(step.pick),
          counter: step.counter,
          stats: bytes(`stats ${step.counter}`),
        });
      case "leave":
        return store.leave(engineOf(step.pick));
      case "bell":
        return store.waitForBell(step.pick === 0 ? "driver" : engineOf(step.pick), 1);
    }
  }

  async #verb(verb: () => Promise<unknown>): Promise<unknown> {
    this.#lastVerb = verb;
    return verb();
  }

  async #publish(step: Operation & { kind: "publish" }): Promise<void> {
    const first = this.#published.length;
    const tasks = step.needs.map((at, index) =>
      task(first + index, { needs: needs[at] ?? needs[0] ?? ("c1" as NeedsKey) }),
    );
    const number = step.repeat ? this.#number : ++this.#number;
    this.#published.push(...tasks);
    await this.#store.publish(this.#token, number, tasks, step.front ? "front" : "back");
  }

  async #exchange(step: Operation & { kind: "exchange" }): Promise<unknown> {
    const engine = engineOf(step.pick);
    let memory = this.#memory.get(engine);
    if (memory === undefined) {
      memory = { seq: 0, reports: 0, held: [], last: undefined };
      this.#memory.set(engine, memory);
    }
    if (step.seq === "same" && memory.last !== undefined) return this.#store.exchange(memory.last);
    if (step.seq === "old" && memory.last !== undefined)
      return this.#store.exchange({ ...memory.last, seq: memory.seq - 1 });
    const ended = memory.held.splice(0, step.finish);
    const released = memory.held.splice(0, step.release);
    const request: ExchangeRequest = {
      engine,
      seq: ++memory.seq,
      reports: ended.map(({ id }) => ({
        number: ++(memory as EngineMemory).reports,
        ends: id,
        body: bytes(`end of ${id}`),
      })),
      releases: released,
      wants: step.wants.map(([at, max]) => ({ needs: needs[at] ?? ("c1" as NeedsKey), max })),
      maxBytes: step.maxBytes,
      idleSlots: step.idleSlots,
      awaitsAcknowledgement: step.awaits,
    };
    memory.last = request;
    const answer = await this.#store.exchange(request);
    memory.held.push(...answer.tasks);
    return answer;
  }

  #scope(kind: Scope["kind"], at: number): Scope {
    switch (kind) {
      case "run":
        return { kind };
      case "context":
        return { kind, context: contextOf(at) };
      case "engine":
        return { kind, engine: engineOf(at) };
    }
  }
}

function engineOf(at: number): EngineId {
  return engines[at % engines.length] ?? engineId("enginea0");
}

function contextOf(at: number) {
  return contextId(at % 2 === 0 ? "even" : "odd ctx");
}
