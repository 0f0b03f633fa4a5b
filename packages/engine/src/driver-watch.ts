/**
 * Decides when an engine has waited long enough for a driver that is gone. It works on as long as there is
 * published work: another driver may take the run over. When there is none it stays a little, then goes, so that no engine
 * lingers on a machine whose owner has forgotten the run.
 */
export class DriverWatch {
  readonly #leaseMs: number;
  readonly #now: () => number;
  #beat = -1;
  #changedAt: number;
  #starterGone = false;

  constructor(leaseMs: number, starterGone: Promise<void>, now: () => number) {
    this.#leaseMs = leaseMs;
    this.#now = now;
    this.#changedAt = now();
    void starterGone.then(() => {
      this.#starterGone = true;
    });
  }

  onBeat(beat: number): void {
    if (beat === this.#beat) return;
    this.#beat = beat;
    this.#changedAt = this.#now();
  }

  givesUp(idle: boolean): boolean {
    const silentMs = this.#now() - this.#changedAt;
    return idle && silentMs > (this.#starterGone ? Math.min(orphanMs, this.#leaseMs) : this.#leaseMs);
  }
}

/** How long an idle engine waits when it knows that the driver that started it has died. */
const orphanMs = 15_000;
