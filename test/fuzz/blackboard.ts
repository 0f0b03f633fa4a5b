/**
 * Where a worker writes what it is about to try, so that the input is known when that never ends, or ends the worker. Memory
 * that both threads see, as a worker that hangs sends no messages.
 */
export class Blackboard {
  readonly shared: SharedArrayBuffer;
  readonly #counts: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(headBytes + mostBytes)) {
    this.shared = shared;
    this.#counts = new Int32Array(shared, 0, 2);
    this.#bytes = new Uint8Array(shared, headBytes);
  }

  write(input: Buffer): void {
    this.#bytes.set(input.subarray(0, mostBytes));
    Atomics.store(this.#counts, 1, input.length);
    Atomics.add(this.#counts, 0, 1);
  }

  /** Inputs written so far. */
  get count(): number {
    return Atomics.load(this.#counts, 0);
  }

  read(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, Atomics.load(this.#counts, 1)));
  }
}

const headBytes = 8;
const mostBytes = 1024 * 1024;
