/** Chris Doty-Humphrey's sfc32: the same numbers for the same seed, everywhere. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    const hash = hashes(seed);
    [this.#a, this.#b, this.#c] = [hash(), hash(), hash()];
    for (let turn = 0; turn < 12; turn++) this.#next();
  }

  /** 0 to `below` - 1; 0 when there is nothing below. */
  int(below: number): number {
    return Math.floor((this.#next() / 0x1_0000_0000) * below);
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.int(times) === 0;
  }

  /** Mostly small, seldom up to `most`. */
  size(most: number): number {
    return 1 + this.int(Math.min(most, 2 ** (1 + this.int(17))));
  }

  /** Throws a `RangeError` on an empty list. */
  pick<Value>(list: readonly Value[]): Value {
    if (list.length === 0) throw new RangeError("nothing to pick from");
    return list[this.int(list.length)] as Value;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
    return sum;
  }
}

/** FNV-1a over the text, and then over its own results. */
function hashes(text: string): () => number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return () => {
    hash = Math.imul(hash ^ (hash >>> 15), 0x01000193);
    return hash >>> 0;
  };
}
