import { MalformedMessageError } from "@taskmuster/kvs";
import {
  type EngineId,
  type EngineInfo,
  type EngineSnapshot,
  decodeEngineInfo,
} from "@taskmuster/kvs/protocol";

/** What engines have said of themselves when they joined: read once, as it never changes. */
export class EngineInfos {
  readonly #onRefused: (engine: EngineSnapshot, why: string) => void;
  readonly #known = new Map<EngineId, Pick<EngineInfo, "host" | "slots">>();
  readonly #refused = new Set<EngineId>();

  /** `onRefused`: called once for each engine that cannot be understood. */
  constructor(onRefused: (engine: EngineSnapshot, why: string) => void) {
    this.#onRefused = onRefused;
  }

  /** Of one that cannot be understood nothing is known. */
  of(engine: EngineSnapshot): Pick<EngineInfo, "host" | "slots"> {
    let info = this.#known.get(engine.engine);
    if (info === undefined) this.#known.set(engine.engine, (info = this.#read(engine)));
    return info;
  }

  /** Said nothing that can be understood: it must not work for this run. */
  isRefused(engine: EngineId): boolean {
    return this.#refused.has(engine);
  }

  /** Forgets all others. */
  keep(engines: ReadonlySet<EngineId>): void {
    for (const engine of this.#known.keys()) {
      if (engines.has(engine)) continue;
      this.#known.delete(engine);
      this.#refused.delete(engine);
    }
  }

  #read(engine: EngineSnapshot): Pick<EngineInfo, "host" | "slots"> {
    try {
      return decodeEngineInfo(engine.info);
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      this.#refused.add(engine.engine);
      this.#onRefused(engine, error.message);
      return unknown;
    }
  }
}

const unknown = { host: "an unknown host", slots: 0 };
