/** Rows of numbers in one block of memory: what may come as often as tasks do must not be objects. */
export class NumberRows {
  readonly #width: number;
  #data = new Float64Array(0);
  #length = 0;

  constructor(width: number) {
    this.#width = width;
  }

  get length(): number {
    return this.#length;
  }

  push(...row: readonly number[]): void {
    const end = (this.#length + 1) * this.#width;
    if (end > this.#data.length) {
      const larger = new Float64Array(Math.max(64 * this.#width, 2 * this.#data.length));
      larger.set(this.#data);
      this.#data = larger;
    }
    for (let column = 0; column < this.#width; column++) {
      this.#data[this.#length * this.#width + column] = row[column] ?? 0;
    }
    this.#length++;
  }

  /** 0 where there is no such row. */
  at(row: number, column: number): number {
    return row < this.#length ? (this.#data[row * this.#width + column] ?? 0) : 0;
  }

  /** Numbers of the rows, by what stands in `column`; where that is equal, as they came. */
  orderedBy(column: number): Uint32Array {
    const order = Uint32Array.from({ length: this.#length }, (_, row) => row);
    return order.toSorted((a, b) => this.at(a, column) - this.at(b, column) || a - b);
  }
}
