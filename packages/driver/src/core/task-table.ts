/**
 * Values by task id. Not a `Map`: as entries come and go, that leaves behind tables which hold on to what they held, so that the
 * garbage collector carries every task to where it looks seldom. Ids in use lie close together, so pages of them serve.
 */
export class TaskTable<Value> {
  readonly #pages = new Map<number, Page<Value>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Value | undefined {
    return this.#pages.get(Math.floor(id / pageSize))?.values[id % pageSize];
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  *values(): Iterable<Value> {
    for (const { values } of this.#pages.values()) {
      for (const value of values) if (value !== undefined) yield value;
    }
  }

  set(id: number, value: Value): void {
    const index = Math.floor(id / pageSize);
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = { values: Array.from<undefined>({ length: pageSize }), used: 0 };
      this.#pages.set(index, page);
    }
    const at = id % pageSize;
    if (page.values[at] === undefined) {
      page.used++;
      this.#size++;
    }
    page.values[at] = value;
  }

  /** False: there was none. */
  delete(id: number): boolean {
    const index = Math.floor(id / pageSize);
    const page = this.#pages.get(index);
    const at = id % pageSize;
    if (page?.values[at] === undefined) return false;
    page.values[at] = undefined;
    this.#size--;
    if (--page.used === 0) this.#pages.delete(index);
    return true;
  }
}

interface Page<Value> {
  readonly values: (Value | undefined)[];
  used: number;
}

const pageSize = 1024;
