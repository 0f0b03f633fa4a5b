import type { SimProcess } from "./process.js";

/** Something that will happen. */
export interface Happening {
  readonly at: number;
  readonly process: SimProcess | null;
  readonly isTimer: boolean;
  readonly run: () => void;
  cancelled: boolean;
}

interface Entry extends Happening {
  readonly order: number;
}

/** What will happen, earliest first; of those at the same time the one that was added first. */
export class Agenda {
  readonly #heap: Entry[] = [];
  #order = 0;

  add(happening: Omit<Happening, "cancelled">): Happening {
    const { at, process, isTimer, run } = happening;
    const entry: Entry = { at, process, isTimer, run, cancelled: false, order: this.#order++ };
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
    return entry;
  }

  /** Null: nothing will. */
  take(): Happening | null {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      let least = left;
      if (right !== undefined && isBefore(right, left)) {
        least = right;
        child++;
      }
      if (!isBefore(least, last)) break;
      heap[index] = least;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
