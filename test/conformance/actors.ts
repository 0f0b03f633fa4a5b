import type {
  EngineVerbs,
  EnrolAnswer,
  EnrolRequest,
  ExchangeAnswer,
  ExchangeRequest,
  KvsStore,
  QueuedTask,
  ReceivedReport,
} from "@taskmuster/kvs";
import {
  type ContextId,
  type EngineId,
  type NeedsKey,
  attempt,
  contextId,
  engineId,
  needsKey,
  taskId,
} from "@taskmuster/kvs/protocol";

export const narrow = needsKey({ cores: 1 });
export const wide = needsKey({ cores: 8 });

export function bytes(content: string): Buffer {
  return Buffer.from(content, "latin1");
}

export function text(body: Uint8Array): string {
  return Buffer.from(body).toString("latin1");
}

export function task(
  id: number,
  options: { tries?: number; needs?: NeedsKey; body?: Uint8Array } = {},
): QueuedTask {
  const { tries = 1, needs = narrow, body = bytes(`task ${id}`) } = options;
  return { id: taskId(id), attempt: attempt(tries), needs, body };
}

export function tasks(from: number, to: number, needs: NeedsKey = narrow): QueuedTask[] {
  return Array.from({ length: to - from + 1 }, (_, index) => task(from + index, { needs }));
}

export function ids(of: { readonly tasks: readonly QueuedTask[] }): number[] {
  return of.tasks.map(({ id }) => id);
}

/** `engine01/1 text` */
export function reportTexts(reports: readonly ReceivedReport[]): string[] {
  return reports.map(({ engine, number, body }) => `${engine}/${number} ${text(body)}`);
}

/** Announces a context whose nonce is its label, or what `options` say. */
export function enrol(
  store: KvsStore,
  label: string,
  options: Partial<EnrolRequest> = {},
): Promise<EnrolAnswer> {
  const info = bytes(`info of ${label}`);
  return store.enrol({ label, exactLabel: false, nonce: `nonce of ${label}`, info, limit: null, ...options });
}

/** Whether somebody has rung; takes the ring down. */
export async function isRung(store: KvsStore, whose: "driver" | EngineId): Promise<boolean> {
  return (await store.waitForBell(whose, 1)) === "rung";
}

/** An engine that keeps its own counts, as a real one does. */
export class TestEngine {
  readonly id: EngineId;
  readonly context: ContextId;
  readonly store: KvsStore;
  seq = 0;
  reports = 0;

  private constructor(store: KvsStore, id: EngineId, context: ContextId) {
    this.store = store;
    this.id = id;
    this.context = context;
  }

  static async join(store: KvsStore, name: string, context = "ctx"): Promise<TestEngine> {
    const engine = new TestEngine(store, engineId(name), contextId(context));
    await engine.join();
    return engine;
  }

  join(): ReturnType<EngineVerbs["join"]> {
    return this.store.join({ engine: this.id, context: this.context, info: bytes(`info of ${this.id}`) });
  }

  request(options: Partial<ExchangeRequest> = {}): ExchangeRequest {
    return {
      engine: this.id,
      seq: this.seq,
      reports: [],
      releases: [],
      wants: [],
      maxBytes: 1_000_000,
      idleSlots: 0,
      awaitsAcknowledgement: false,
      ...options,
    };
  }

  async exchange(options: Partial<ExchangeRequest> = {}): Promise<ExchangeAnswer> {
    this.seq++;
    return this.store.exchange(this.request(options));
  }

  /** The same request once more, as after a lost answer. */
  async again(options: Partial<ExchangeRequest> = {}): Promise<ExchangeAnswer> {
    return this.store.exchange(this.request(options));
  }

  async claim(max: number, options: Partial<ExchangeRequest> = {}): Promise<ExchangeAnswer> {
    return this.exchange({ wants: [{ needs: narrow, max }], idleSlots: max, ...options });
  }

  /** Reports that these tasks have ended. */
  async finish(...ended: readonly number[]): Promise<ExchangeAnswer> {
    const reports = ended.map((id) => ({
      number: ++this.reports,
      ends: taskId(id),
      body: bytes(`end of ${id}`),
    }));
    return this.exchange({ reports });
  }
}
