import type { EngineId } from "@taskmuster/kvs/protocol";

/** An engine that is to run tasks, as it tells of itself. */
export interface RunningEngine {
  readonly engine: EngineId;
  /** As people know it: `engine 3 on node7`. */
  readonly name: string;
  readonly slots: number;
  /** See `EngineStats`. */
  readonly outOf: string;
  readonly usable: number;
}

export type TightWord =
  | { readonly kind: "say"; readonly message: string }
  /** It has been of no use for long, and others can do its work. */
  | { readonly kind: "drain"; readonly engine: EngineId; readonly why: string; readonly message: string };

/**
 * What is to be said and done about engines whose nodes are out of something: each is named once for each thing that it is out of. One that
 * cannot start anything for long is drained, but never the last one that could.
 */
export class TightEngines {
  readonly #patienceMs: number;
  readonly #said = new Map<EngineId, Set<string>>();
  /** Since when they have not been able to start anything. */
  readonly #shutSince = new Map<EngineId, number>();

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  look(engines: readonly RunningEngine[], nowMs: number): readonly TightWord[] {
    const words: TightWord[] = [];
    this.#forget(engines);
    const able = engines.filter(({ usable }) => usable > 0).length;
    for (const { engine, name, outOf, usable } of engines) {
      if (outOf === "" || usable > 0) this.#shutSince.delete(engine);
      if (outOf === "") continue;
      if (this.#isNews(engine, outOf))
        words.push({ kind: "say", message: `${name} runs fewer tasks at a time: it is out of ${outOf}` });
      if (usable > 0) continue;
      const since = this.#shutSince.get(engine) ?? nowMs;
      this.#shutSince.set(engine, since);
      if (nowMs - since < this.#patienceMs) continue;
      const seconds = Math.round(this.#patienceMs / 1000);
      const cannot = `${name} has not been able to start a task for ${seconds} s, as it is out of ${outOf}`;
      if (able > 0)
        words.push({
          kind: "drain",
          engine,
          why: `out of ${outOf}`,
          message: `${cannot}: it is to leave, others do its work`,
        });
      else if (this.#isNews(engine, `${outOf}, alone`))
        words.push({ kind: "say", message: `${cannot}; it tries on, as nobody else is there` });
    }
    return words;
  }

  #isNews(engine: EngineId, word: string): boolean {
    const said = this.#said.get(engine) ?? new Set();
    this.#said.set(engine, said);
    if (said.has(word)) return false;
    said.add(word);
    return true;
  }

  #forget(engines: readonly RunningEngine[]): void {
    const known = new Set(engines.map(({ engine }) => engine));
    for (const map of [this.#said, this.#shutSince])
      for (const engine of map.keys()) if (!known.has(engine)) map.delete(engine);
  }
}
