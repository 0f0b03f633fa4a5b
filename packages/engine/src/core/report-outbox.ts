import type { NumberedReport, TaskId } from "@taskmuster/kvs/protocol";

/**
 * Reports on their way to the disk of the driver: first waiting to be handed in, then kept until they are acknowledged, for a
 * store that forgets what it held. Numbered from 1 without gaps.
 */
export class ReportOutbox {
  #waiting: NumberedReport[] = [];
  #handedIn: NumberedReport[] = [];
  /** So many at the front of `#handedIn` are on disk. */
  #acknowledged = 0;
  #next = 1;

  /** Not handed in yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Handed in and not acknowledged. */
  get awaited(): number {
    return this.#handedIn.length - this.#acknowledged;
  }

  get isEmpty(): boolean {
    return this.waiting === 0 && this.awaited === 0;
  }

  /** Number of the last one that is known to be on disk. */
  get acknowledged(): number {
    const first = this.#handedIn[this.#acknowledged] ?? this.#waiting[0];
    return (first?.number ?? this.#next) - 1;
  }

  /** All that are not acknowledged, oldest first. */
  get all(): readonly NumberedReport[] {
    return [...this.#handedIn.slice(this.#acknowledged), ...this.#waiting];
  }

  /** Who had them has forgotten: they are handed in again, with the same numbers. */
  handInAgain(): void {
    this.#waiting = [...this.all];
    this.#handedIn = [];
    this.#acknowledged = 0;
  }

  /** `ends`: the claim that this ends; null for a PERENGINE command. */
  add(ends: TaskId | null, body: Uint8Array): void {
    this.#waiting.push({ number: this.#next++, ends, body });
  }

  /** The next ones to hand in, at most `max`. */
  take(max: number): readonly NumberedReport[] {
    const taken = this.#waiting.splice(0, max);
    this.#handedIn.push(...taken);
    return taken;
  }

  acknowledge(upTo: number): void {
    const known = this.#handedIn;
    while (this.#acknowledged < known.length && (known[this.#acknowledged]?.number ?? 0) <= upTo)
      this.#acknowledged++;
    // Moving what is left at every acknowledgement would cost more than it frees.
    if (this.#acknowledged * 2 < known.length) return;
    this.#handedIn = known.slice(this.#acknowledged);
    this.#acknowledged = 0;
  }
}
