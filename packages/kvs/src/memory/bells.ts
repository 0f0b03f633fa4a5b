import { KvsClosedError } from "../errors.js";

export type BellOutcome = "rung" | "timeout";

interface Waiter {
  /** Whose waiters go together when that one is closed. */
  readonly owner: object;
  readonly resolve: (outcome: BellOutcome) => void;
  readonly reject: (error: Error) => void;
}

/** Calls back after `ms`, unless the function that it returns is called before. */
export type StartTimer = (callback: () => void, ms: number) => () => void;

export const realTimer: StartTimer = (callback, ms) => {
  const timer = setTimeout(callback, ms);
  return () => {
    clearTimeout(timer);
  };
};

/** Doorbells by name. A ring that nobody waits for hangs until somebody comes; several hang as one. */
export class Bells {
  readonly #hanging = new Set<string>();
  readonly #waiters = new Map<string, Waiter[]>();

  ring(name: string): void {
    const next = this.#waiters.get(name)?.[0];
    if (next === undefined) this.#hanging.add(name);
    else next.resolve("rung");
  }

  wait(name: string, owner: object, timeoutMs: number, startTimer: StartTimer): Promise<BellOutcome> {
    if (this.#hanging.delete(name)) return Promise.resolve("rung");
    return new Promise<BellOutcome>((resolve, reject) => {
      const end = (): void => {
        cancel();
        const left = (this.#waiters.get(name) ?? []).filter((each) => each !== waiter);
        if (left.length === 0) this.#waiters.delete(name);
        else this.#waiters.set(name, left);
      };
      const waiter: Waiter = {
        owner,
        resolve(outcome) {
          end();
          resolve(outcome);
        },
        reject(error) {
          end();
          reject(error);
        },
      };
      const cancel = startTimer(() => {
        waiter.resolve("timeout");
      }, timeoutMs);
      this.#waiters.set(name, [...(this.#waiters.get(name) ?? []), waiter]);
    });
  }

  /** Names that begin so and were rung, for tests. */
  hanging(prefix: string): string[] {
    return [...this.#hanging].filter((name) => name.startsWith(prefix));
  }

  /** Takes down what hangs under this name. */
  takeDown(name: string): void {
    this.#hanging.delete(name);
  }

  /** Takes down what hangs under names that begin so. */
  clear(prefix: string): void {
    for (const name of this.#hanging) if (name.startsWith(prefix)) this.#hanging.delete(name);
  }

  /** The waits of one owner reject. */
  close(owner: object): void {
    this.#rejectAll((waiter) => waiter.owner === owner, new KvsClosedError());
  }

  /** All waits reject with `error`, and nothing hangs. */
  forget(error: Error): void {
    this.#hanging.clear();
    this.#rejectAll(() => true, error);
  }

  #rejectAll(which: (waiter: Waiter) => boolean, error: Error): void {
    for (const waiter of [...this.#waiters.values()].flat()) if (which(waiter)) waiter.reject(error);
  }
}
