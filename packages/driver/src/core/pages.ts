/** Pages of tables by task id. Sparse: one id far out must not cost the memory of all before it. */
export class Pages<Page> {
  readonly #pages = new Map<number, Page>();
  readonly #size: number;
  readonly #make: () => Page;

  /** `size`: ids of a page; `make`: one of which nothing is known yet. */
  constructor(size: number, make: () => Page) {
    this.#size = size;
    this.#make = make;
  }

  /** The page that an id is on, made when it is not there. */
  of(id: number): Page {
    const index = Math.floor(id / this.#size);
    let page = this.#pages.get(index);
    if (page === undefined) this.#pages.set(index, (page = this.#make()));
    return page;
  }

  find(id: number): Page | undefined {
    return this.#pages.get(Math.floor(id / this.#size));
  }

  /** With the first id of each, in order. */
  *[Symbol.iterator](): Generator<readonly [first: number, page: Page]> {
    for (const index of [...this.#pages.keys()].toSorted((a, b) => a - b)) {
      const page = this.#pages.get(index);
      if (page !== undefined) yield [index * this.#size, page];
    }
  }
}
