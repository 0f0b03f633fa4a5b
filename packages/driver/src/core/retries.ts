/** However often a task has failed, it waits no longer, unless it was told to wait longer from the start. */
const mostDelayMs = 300_000;
/** Tasks that failed together do not all come back together: each delay is longer by up to this part of it. */
const jitter = 0.2;

/** How long a task waits after `failures` of its attempts have failed. The same for the same task and number. */
export function retryDelayMs(firstMs: number, failures: number, id: number): number {
  if (firstMs === 0) return 0;
  const delay = Math.min(firstMs * 2 ** (failures - 1), Math.max(firstMs, mostDelayMs));
  return Math.round(delay * (1 + jitter * fraction(id, failures)));
}

/** From 0 to 1, and evenly so over tasks. */
function fraction(id: number, failures: number): number {
  let mixed = Math.imul(id ^ (id / 2 ** 32), 0x9e3779b1) ^ Math.imul(failures, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}

/**
 * Tasks that failed and wait for their next attempt. What waits has no time yet before it is asked for the first time: who adds it
 * knows no monotonic clock.
 */
export class Retries<Task> {
  readonly #new: { readonly task: Task; readonly delayMs: number }[] = [];
  /** A heap: the one that is due first is at 0, and none is due before its parent, at half its index. */
  readonly #waiting: { readonly task: Task; readonly due: number }[] = [];

  get size(): number {
    return this.#new.length + this.#waiting.length;
  }

  add(task: Task, delayMs: number): void {
    this.#new.push({ task, delayMs });
  }

  /** All that wait, in no order. */
  tasks(): readonly Task[] {
    return [...this.#new, ...this.#waiting].map(({ task }) => task);
  }

  /** Those whose time has come, the one that was due first first; `now` in ms, monotonic. */
  takeDue(now: number): readonly Task[] {
    for (const { task, delayMs } of this.#new.splice(0)) this.#push({ task, due: now + delayMs });
    const due: Task[] = [];
    for (let [first] = this.#waiting; first !== undefined && first.due <= now; [first] = this.#waiting) {
      due.push(first.task);
      this.#removeAt(0);
    }
    return due;
  }

  /** Until the next one is due, in ms from the `now` of `takeDue`; null: none waits. */
  msToNext(now: number): number | null {
    const [first] = this.#waiting;
    return first === undefined ? null : Math.max(0, first.due - now);
  }

  /** False: it does not wait here. */
  remove(task: Task): boolean {
    const isNew = this.#new.findIndex((each) => each.task === task);
    if (isNew !== -1) this.#new.splice(isNew, 1);
    const at = this.#waiting.findIndex((each) => each.task === task);
    if (at !== -1) this.#removeAt(at);
    return isNew !== -1 || at !== -1;
  }

  clear(): void {
    this.#new.length = 0;
    this.#waiting.length = 0;
  }

  #push(entry: { readonly task: Task; readonly due: number }): void {
    this.#waiting.push(entry);
    this.#rise(this.#waiting.length - 1);
  }

  #removeAt(at: number): void {
    const last = this.#waiting.pop();
    if (last === undefined || at === this.#waiting.length) return;
    this.#waiting[at] = last;
    this.#rise(at);
    this.#sink(at);
  }

  #rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (this.#dueAt(parent) <= this.#dueAt(at)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    for (let at = from; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let first = at;
      if (this.#dueAt(left) < this.#dueAt(first)) first = left;
      if (this.#dueAt(right) < this.#dueAt(first)) first = right;
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #dueAt(at: number): number {
    return this.#waiting[at]?.due ?? Infinity;
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#waiting[one], this.#waiting[other]];
    if (a === undefined || b === undefined) return;
    this.#waiting[one] = b;
    this.#waiting[other] = a;
  }
}
