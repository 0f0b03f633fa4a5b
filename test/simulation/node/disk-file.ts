import type { Random } from "../../fuzz/random.js";

/** A part of a file that has been written and not synced. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** What a file holds, and what of it would still be there after a power cut. */
export class DiskFile {
  /** The inode's. */
  readonly number: number;
  #bytes = Buffer.alloc(0);
  #size = 0;
  #safe = Buffer.alloc(0);
  #dirty: Stretch[] = [];

  constructor(number: number) {
    this.number = number;
  }

  get size(): number {
    return this.#size;
  }

  bytes(position = 0, length = this.#size): Buffer {
    return Buffer.from(this.#bytes.subarray(position, Math.min(position + length, this.#size)));
  }

  /** On the platter. */
  get safe(): Buffer {
    return this.#safe;
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    const end = position + bytes.length;
    if (end > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes.subarray(0, this.#size), Buffer.alloc(2 * end - this.#size)]);
    this.#bytes.set(bytes, position);
    this.#size = Math.max(this.#size, end);
    this.#dirty.push({ from: position, to: end });
  }

  truncate(size: number): void {
    this.#size = Math.min(this.#size, size);
  }

  /** What a sync that begins now would make safe. */
  dirty(): readonly Stretch[] {
    return [...this.#dirty];
  }

  sync(stretches: readonly Stretch[]): void {
    for (const { from, to } of stretches) {
      const end = Math.min(to, this.#size);
      if (end > this.#safe.length)
        this.#safe = Buffer.concat([this.#safe, Buffer.alloc(end - this.#safe.length)]);
      if (end > from) this.#safe.set(this.#bytes.subarray(from, end), from);
    }
    if (this.#safe.length > this.#size) this.#safe = this.#safe.subarray(0, this.#size);
    this.#dirty = this.#dirty.filter((each) => !stretches.includes(each));
  }

  /** The kernel could not write them, and will not try again. */
  forget(stretches: readonly Stretch[]): void {
    this.#dirty = this.#dirty.filter((each) => !stretches.includes(each));
  }

  losePower(random: Random): void {
    const kept = random.int(this.#size - this.#safe.length + 1);
    this.#bytes = Buffer.concat([
      this.#safe,
      this.#bytes.subarray(this.#safe.length, this.#safe.length + kept),
    ]);
    this.#size = this.#bytes.length;
    this.#safe = Buffer.from(this.#bytes);
    this.#dirty = [];
  }
}
