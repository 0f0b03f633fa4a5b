/**
 * Decides when an engine has waited long enough for a driver that is gone. It works on as long as there is
 * published work: another driver may take the run over. When there is none it stays a little (a lease, if there are results that nobody
 * has taken), then goes, so that no engine
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

  /** `holdsResults`: there are some that nobody has taken; another driver may. */
  givesUp(idle: boolean, holdsResults: boolean): boolean {
    const silentMs = this.#now() - this.#changedAt;
    const hurries = this.#starterGone && !holdsResults;
    return idle && silentMs > (hurries ? Math.min(orphanMs, this.#leaseMs) : this.#leaseMs);
  }
}

/** How long an idle engine waits when it knows that the driver that started it has died. */
const orphanMs = 15_000;
