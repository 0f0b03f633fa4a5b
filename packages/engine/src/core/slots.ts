/** More tasks at a time no node can start: each has a shell and two pipes, and Linux has 4 million pids at most. */
export const mostSlots = 100_000;

/** Room for one task at a time. disBatch calls it a cylinder; its rank is `DISBATCH_CYLINDER_RANK`. */
export class SlotPool {
  /** Free ranks, the lowest on top, so that a lightly loaded engine keeps using the same few. */
  readonly #free: number[];
  readonly size: number;

  constructor(size: number) {
    if (!Number.isInteger(size) || size < 1) throw new RangeError(`not a number of slots: ${size}`);
    this.size = size;
    this.#free = Array.from({ length: size }, (_, index) => size - 1 - index);
  }

  get free(): number {
    return this.#free.length;
  }

  get busy(): number {
    return this.size - this.#free.length;
  }

  /** The lowest free rank, or null when all are busy. */
  take(): number | null {
    return this.#free.pop() ?? null;
  }

  /** Throws a `RangeError` on a rank that is not busy: a slot must never be handed out twice. */
  give(rank: number): void {
    if (!Number.isInteger(rank) || rank < 0 || rank >= this.size || this.#free.includes(rank)) {
      throw new RangeError(`slot ${rank} is not in use`);
    }
    let index = this.#free.length;
    while (index > 0 && (this.#free[index - 1] ?? 0) < rank) index--;
    this.#free.splice(index, 0, rank);
  }
}

/**
 * Slots and cores per task of one host, as disBatch computes them: `cores // cpusPerTask` slots, or exactly
 * `tasksPerNode`; `DISBATCH_CORES_PER_TASK` is the whole number of cores that each slot gets, possibly 0.
 * Null where not even one task fits.
 */
export function slotsOf(
  cores: number,
  cpusPerTask: number,
  tasksPerNode: number | null,
): { readonly slots: number; readonly coresPerTask: number } | null {
  const slots = tasksPerNode ?? Math.floor(cores / cpusPerTask);
  if (slots < 1) return null;
  return { slots, coresPerTask: Math.floor(cores / slots) };
}
