import { type Failure, attempt } from "./attempt.js";
import { type Material, commonWords, mutate } from "./mutate.js";
import { Random } from "./random.js";
import type { Target } from "./target.js";

/** Tells which parts of the program ran that never ran before; forgets what ran since the last time it was asked. */
export interface Coverage {
  /** Bytes of source text that ran for the first time. `keep`: from now on they are known. */
  news(keep: boolean): number;
}

export interface FuzzerOptions {
  readonly target: Target;
  /** The same seed gives the same inputs, as long as no coverage is looked at. */
  readonly seed: string;
  /** Null: mutants of the seeds only. */
  readonly coverage: Coverage | null;
  /** Hears of each input before it is tried: it may be the last. */
  readonly onTry?: (input: Buffer) => void;
  /** Hears of each input that failed. */
  readonly onFailure: (input: Buffer, failure: Failure) => void;
}

const batchRuns = 128;
const defaultMostBytes = 65_536;

/** Makes inputs for one target and tries them. What reached new parts of the program is kept, and changed further. */
export class Fuzzer {
  runs = 0;
  readonly #options: FuzzerOptions;
  readonly #random: Random;
  readonly #corpus: Buffer[];
  readonly #material: Material;

  constructor(options: FuzzerOptions) {
    const { target, seed } = options;
    this.#options = options;
    this.#random = new Random(`${target.name} ${seed}`);
    this.#corpus = [...target.seeds()];
    const own = (target.words ?? []).map((word) => Buffer.from(word));
    this.#material = {
      corpus: this.#corpus,
      // A target's own words as often as all others together.
      words: [...commonWords, ...repeated(own, commonWords.length)],
      mostBytes: target.mostBytes ?? defaultMostBytes,
    };
  }

  get kept(): number {
    return this.#corpus.length;
  }

  async trySeeds(): Promise<void> {
    for (const seed of [...this.#corpus, Buffer.alloc(0)]) await this.#try(seed);
    this.#options.coverage?.news(true);
  }

  async tryMutants(count: number = batchRuns): Promise<void> {
    const batch = Array.from({ length: count }, () => this.#mutant());
    const { coverage } = this.#options;
    if (coverage === null) for (const input of batch) await this.#try(input);
    else await this.#sift(batch, coverage);
  }

  /** Looking at the coverage takes as long as hundreds of runs, so it is done for many at once, and halves that hold no news are left. */
  async #sift(inputs: readonly Buffer[], coverage: Coverage): Promise<void> {
    for (const input of inputs) await this.#try(input);
    const [only] = inputs;
    if (only === undefined || coverage.news(inputs.length === 1) === 0) return;
    if (inputs.length === 1) {
      this.#corpus.push(only);
      return;
    }
    const half = inputs.length >> 1;
    await this.#sift(inputs.slice(0, half), coverage);
    await this.#sift(inputs.slice(half), coverage);
  }

  #mutant(): Buffer {
    const { reshape } = this.#options.target;
    // What was found last leads further most often.
    const recent = this.#corpus.slice(-8);
    const input = this.#random.pick(this.#random.oneIn(3) ? recent : this.#corpus);
    if (reshape === undefined || this.#random.oneIn(2)) return mutate(this.#random, input, this.#material);
    let shaped = input;
    do shaped = reshape(this.#random, shaped).subarray(0, this.#material.mostBytes);
    while (!this.#random.oneIn(3));
    return shaped;
  }

  async #try(input: Buffer): Promise<void> {
    this.#options.onTry?.(input);
    this.runs++;
    // A copy, as parsers may keep views of what they got.
    const failure = await attempt(this.#options.target, Buffer.from(input));
    if (failure !== null) this.#options.onFailure(input, failure);
  }
}

function repeated(list: readonly Buffer[], length: number): readonly Buffer[] {
  return list.length === 0 ? [] : Array.from({ length }, (_, index) => list[index % list.length] as Buffer);
}
