/** More than that many at once are no scheduler's doing. */
const mostHeld = 1000;

/**
 * Ends of tasks that nobody is told of for a moment. A scheduler that ends an allocation signals every process in it, so a task may
 * die of it before its engine hears: then it was not the task that failed.
 *
 * Two generations, so that each is held for one to two periods of whoever calls `due`.
 */
export class HeldEnds<End> {
  #young: End[] = [];
  #old: End[] = [];

  get size(): number {
    return this.#young.length + this.#old.length;
  }

  get all(): readonly End[] {
    return [...this.#old, ...this.#young];
  }

  some(isMeant: (end: End) => boolean): boolean {
    return this.#young.some(isMeant) || this.#old.some(isMeant);
  }

  /** Answers what must be told now to make room for it. */
  add(end: End): readonly End[] {
    this.#young.push(end);
    if (this.size <= mostHeld) return [];
    return this.#old.length > 0 ? this.#old.splice(0) : this.#young.splice(0, 1);
  }

  /** Called regularly while something is held; answers what has been held for long enough. */
  due(): readonly End[] {
    const due = this.#old;
    this.#old = this.#young;
    this.#young = [];
    return due;
  }

  takeAll(): readonly End[] {
    return [...this.#old.splice(0), ...this.#young.splice(0)];
  }
}
