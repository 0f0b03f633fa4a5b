/** I5: how many tasks contexts have started, and may (`-C`). */
export class Limits {
  readonly #limits = new Map<string, number>();
  readonly #dropped = new Set<string>();
  /** By context and engine. */
  readonly #launches = new Map<string, Map<string, number>>();
  /** Engines that have not told the store of now what they have claimed. Should they die before they do, nobody can count that. */
  readonly #untold = new Set<string>();

  set(context: string, tasks: number): void {
    if (!this.#dropped.has(context)) this.#limits.set(context, tasks);
  }

  drop(context: string): void {
    this.#dropped.add(context);
    this.#limits.delete(context);
  }

  onLaunch(context: string, engine: string): void {
    const ofIt = this.#launches.get(context) ?? new Map<string, number>();
    this.#launches.set(context, ofIt.set(engine, (ofIt.get(engine) ?? 0) + 1));
  }

  onForgotten(): void {
    for (const engines of this.#launches.values())
      for (const engine of engines.keys()) this.#untold.add(engine);
  }

  onAnnounced(engine: string): void {
    this.#untold.delete(engine);
  }

  /** So many more may start, at most; null: there is no limit. */
  left(context: string): number | null {
    let left = this.#limits.get(context) ?? null;
    if (left === null) return null;
    for (const [engine, launches] of this.#launches.get(context) ?? [])
      if (!this.#untold.has(engine)) left -= launches;
    return left;
  }
}
