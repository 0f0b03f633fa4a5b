import { SlotPool } from "../core/slots.js";
import type { LaunchPlace, LaunchRequest } from "./launcher.js";
import { checkTag } from "./running-tasks.js";

/** What was enqueued and its slot. */
export interface Placed {
  readonly request: LaunchRequest;
  readonly slot: number;
  readonly place: LaunchPlace;
}

/** Which task has which slot, and which wait for one. */
export class SlotQueue {
  #places: readonly LaunchPlace[] = [];
  #pool: SlotPool | null = null;
  readonly #waiting: LaunchRequest[] = [];
  readonly #slotOf = new Map<number, number>();

  setSlots(places: readonly LaunchPlace[]): void {
    this.#places = places;
    this.#pool = new SlotPool(places.length);
  }

  /** Without a slot yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Throws a `RangeError` on a tag that waits here already or is none. */
  add(request: LaunchRequest): void {
    checkTag(request.tag);
    if (this.has(request.tag)) throw new RangeError(`tag ${request.tag} is in use`);
    this.#waiting.push(request);
  }

  /** It waits for a slot. */
  has(tag: number): boolean {
    return this.#waiting.some((request) => request.tag === tag);
  }

  /** The next one, and its slot, which it has until `ended`; null when none waits, or no slot is free. */
  next(): Placed | null {
    if (this.#waiting.length === 0) return null;
    const slot = this.#pool?.take() ?? null;
    const place = slot === null ? undefined : this.#places[slot];
    if (slot === null || place === undefined) return null;
    const request = this.#waiting.shift();
    if (request === undefined) return null;
    this.#slotOf.set(request.tag, slot);
    return { request, slot, place };
  }

  /** Its slot is free; nothing when it had none. */
  ended(tag: number): void {
    const slot = this.#slotOf.get(tag);
    if (slot === undefined) return;
    this.#slotOf.delete(tag);
    this.#pool?.give(slot);
  }

  /** Takes back all that wait. */
  recall(): readonly number[] {
    return this.#waiting.splice(0).map(({ tag }) => tag);
  }
}
