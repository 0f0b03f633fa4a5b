import { setTimeout as delay } from "node:timers/promises";
import { StatusFileError } from "./status-file.js";

export interface PatienceEvents {
  /** What is to be written cannot be now. Not told again before `onFree`. */
  onStuck(error: StatusFileError): void;
  /** It was written after all, so many seconds later. */
  onFree(seconds: number): void;
}

/**
 * Writes again what could not be written for a reason that may pass, until it can be, or nobody wants to wait any longer. There is
 * nothing that rings when a disk has room again, so this looks: after a fraction of a second first, later every few seconds.
 */
export class Patience {
  readonly #name: string;
  readonly #events: PatienceEvents;
  readonly #hurry = new AbortController();
  #stuckSince: number | null = null;
  #abandon: ((error: StatusFileError) => void) | null = null;

  /** `name`: of what is written. */
  constructor(name: string, events: PatienceEvents) {
    this.#name = name;
    this.#events = events;
  }

  get stuck(): boolean {
    return this.#stuckSince !== null;
  }

  /** One at a time. Rejects with what `write` rejected with: a failure that stays, or the last one before it was given up. */
  async insist(write: () => Promise<void>): Promise<void> {
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, mostWaitMs)) {
      const isLast = this.#hurry.signal.aborted;
      try {
        await this.#watched(write());
        break;
      } catch (error) {
        if (isLast || !(error instanceof StatusFileError) || !error.mayHeal) throw error;
        this.#stick(error);
      }
      await delay(waitMs, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
    }
    this.#free();
  }

  /** What is to be written is tried once more at once, and not again. */
  giveUp(): void {
    if (this.#hurry.signal.aborted) return;
    this.#hurry.abort();
    setTimeout(() => this.#abandon?.(this.#hangs(lastMs)), lastMs).unref();
  }

  /** A file server that is away does not fail: it does not answer. */
  #watched(written: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const slow = setTimeout(() => this.#stick(this.#hangs(slowMs)), slowMs);
      const over = (): void => {
        clearTimeout(slow);
        this.#abandon = null;
      };
      const fail = (error: unknown): void => {
        over();
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      this.#abandon = fail;
      written.then(() => {
        over();
        resolve();
      }, fail);
    });
  }

  #hangs(ms: number): StatusFileError {
    return new StatusFileError(
      `cannot write ${this.#name}: the file system has not answered for ${ms / 1000} s`,
    );
  }

  #stick(error: StatusFileError): void {
    if (this.#stuckSince !== null) return;
    this.#stuckSince = performance.now();
    this.#events.onStuck(error);
  }

  #free(): void {
    if (this.#stuckSince === null) return;
    const seconds = (performance.now() - this.#stuckSince) / 1000;
    this.#stuckSince = null;
    this.#events.onFree(seconds);
  }
}

const firstWaitMs = 200;
const mostWaitMs = 5_000;
/** Disks that are merely busy have been seen to take this long. */
const slowMs = 20_000;
const lastMs = 3_000;
