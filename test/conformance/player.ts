import type { ExchangeRequest, FencingToken, KvsStore, QueuedTask, Scope } from "@taskmuster/kvs";
import {
  type ContextId,
  type EngineId,
  type NeedsKey,
  contextId,
  engineId,
  needsKey,
} from "@taskmuster/kvs/protocol";
import { bytes, task } from "./actors.js";
import type { Operation } from "./operations.js";

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
  #handled = 0;
  #news = 0;
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
      case "reopen": {
        const { above, ranks } = step;
        const nonce = step.nonce === null ? null : `opener ${step.nonce}`;
        const opened = await store.open(bytes("info again"), { above, nonce, ranks });
        this.#number = 0;
        this.#token = opened;
        return opened;
      }
      case "restore":
        return this.#restore(step);
      case "greet":
        return this.#verb(() => store.greet(token, engineOf(step.pick)));
      case "announce":
        return this.#announce(step);
      case "takeOver": {
        const taken = await store.takeOver();
        if (taken !== null) this.#number = 0;
        this.#token = taken?.token ?? this.#token;
        return taken;
      }
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
        const from = step.ahead === null ? [] : [this.#position + step.ahead];
        const received = await store.receive(token, step.max, ...from);
        if (step.ahead === null) this.#position = received.from;
        return received;
      }
      case "acknowledge": {
        const upTo = this.#position + step.ahead;
        return this.#verb(() => store.acknowledge(token, upTo));
      }
      case "order":
        return this.#verb(() => store.order(token, this.#scope(step.scope, step.pick), step.wanted));
      case "expel":
        return this.#verb(() => store.expel(token, engineOf(step.pick), `lost ${this.#number}`));
      case "expire":
        return this.#verb(() => store.expire(token, engineOf(step.pick), "silent", step.renewal));
      case "beat":
        return this.#beat(step);
      case "enrol":
        return store.enrol({
          label: step.label,
          exactLabel: step.exact,
          nonce: `n${step.nonce}`,
          info: bytes(`news ${++this.#news}`),
          limit: step.limit,
        });
      case "ask":
        return store.ask(bytes(`please ${++this.#news}`));
      case "claimsOf":
        return store.claimsOf(engineOf(step.pick), step.max);
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
        return store.leave(engineOf(step.pick), `left ${this.#number}`);
      case "bell":
        return store.waitForBell(step.pick === 0 ? "driver" : engineOf(step.pick), 1);
    }
  }

  async #verb(verb: () => Promise<unknown>): Promise<unknown> {
    this.#lastVerb = verb;
    return verb();
  }

  async #beat(step: Operation & { kind: "beat" }): Promise<unknown> {
    const state = bytes(step.tell ? `state ${++this.#news}` : "");
    const beat = { state, handled: this.#handled + step.ahead };
    const received = await this.#store.beat(this.#token, beat);
    this.#handled = received.from;
    return received;
  }

  async #restore(step: Operation & { kind: "restore" }): Promise<unknown> {
    const { wanted } = step;
    const contexts = step.contexts.map(([context, nonce, granted]) => {
      const info = bytes(`info of ${context}`);
      return { context: contextId(context), nonce: `n${nonce}`, info, granted, wanted };
    });
    const remaining = step.picks.map((at) => {
      const [info, stats] = [bytes(`info ${at}`), bytes(`stats ${at}`)];
      return { engine: engineOf(at), context: contextOf(at), rank: at, info, renewal: at, stats, wanted };
    });
    const token = this.#token;
    return this.#verb(() => this.#store.restore(token, contexts, remaining));
  }

  async #announce(step: Operation & { kind: "announce" }): Promise<unknown> {
    const memory = this.#memoryOf(engineOf(step.pick));
    if (step.seq === "next") memory.seq++;
    return this.#store.announce({
      engine: engineOf(step.pick),
      context: contextOf(step.pick),
      info: bytes(`info ${step.pick}`),
      rank: step.pick,
      seq: memory.seq,
      acknowledged: memory.reports,
      claimed: step.claims.length,
      claims: step.claims.map((id) => task(id)),
      last: step.last,
    });
  }

  #memoryOf(engine: EngineId): EngineMemory {
    const memory = this.#memory.get(engine) ?? { seq: 0, reports: 0, held: [], last: undefined };
    this.#memory.set(engine, memory);
    return memory;
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
    const memory = this.#memoryOf(engine);
    if (step.seq === "same" && memory.last !== undefined) return this.#store.exchange(memory.last);
    if (step.seq === "old" && memory.last !== undefined)
      return this.#store.exchange({ ...memory.last, seq: memory.seq - 1 });
    const ended = memory.held.splice(0, step.finish);
    const released = memory.held.splice(0, step.release);
    const request: ExchangeRequest = {
      engine,
      seq: ++memory.seq,
      reports: ended.map(({ id }) => ({
        number: ++memory.reports,
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

function contextOf(at: number): ContextId {
  return contextId(at % 2 === 0 ? "even" : "odd ctx");
}
