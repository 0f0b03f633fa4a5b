/**
 * Which tasks have ended: one bit per task, in pages, so that memory grows with the highest id by an eighth of a byte
 * and a list of unknown length needs no guess.
 */
export class TaskBits {
  readonly #pages: (Uint32Array | undefined)[] = [];
  #count = 0;

  /** Number of set bits. */
  get count(): number {
    return this.#count;
  }

  has(id: number): boolean {
    const page = this.#pages[Math.floor(id / pageBits)];
    const bit = id % pageBits;
    return page !== undefined && ((page[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
  }

  /** False when it was set already. */
  add(id: number): boolean {
    const index = Math.floor(id / pageBits);
    const page = (this.#pages[index] ??= new Uint32Array(pageBits / 32));
    const bit = id % pageBits;
    const before = page[bit >>> 5] ?? 0;
    // Unsigned, as the page is: with bit 31 set the two would never be equal.
    const after = (before | (1 << (bit & 31))) >>> 0;
    if (after === before) return false;
    page[bit >>> 5] = after;
    this.#count++;
    return true;
  }
}

const pageBits = 1 << 16;
