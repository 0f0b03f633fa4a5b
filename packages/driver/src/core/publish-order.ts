/**
 * Brings tasks into random order, within what is about to be published and what waits to be claimed. Its numbers come from
 * a generator of its own (xorshift), as the core has no other randomness and a run can be replayed.
 */
export class PublishOrder {
  #state: number;

  constructor(seed = 0x9e3779b9) {
    this.#state = seed | 1;
  }

  shuffle(list: unknown[]): void {
    for (let last = list.length - 1; last > 0; last--) {
      const other = this.#below(last + 1);
      [list[last], list[other]] = [list[other], list[last]];
    }
  }

  /** Where a single one goes that has nothing to change places with but what waits already. */
  where(): "front" | "back" {
    return this.#below(2) === 0 ? "front" : "back";
  }

  #below(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return Math.floor(((this.#state >>> 0) / 2 ** 32) * bound);
  }
}
