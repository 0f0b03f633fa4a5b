/** Tasks that have been seen with one engine for so long that they cannot fail quickly any more. */
export class Survivors {
  readonly #leastMs: number;
  #since = new Map<number, number>();

  constructor(leastMs: number) {
    this.#leastMs = leastMs;
  }

  /** `tasks`: what it has now. Answers those that it had `leastMs` ago already. */
  look(tasks: readonly number[], nowMs: number): readonly number[] {
    const since = new Map(tasks.map((task) => [task, this.#since.get(task) ?? nowMs]));
    this.#since = since;
    return tasks.filter((task) => nowMs - (since.get(task) ?? nowMs) >= this.#leastMs);
  }
}
