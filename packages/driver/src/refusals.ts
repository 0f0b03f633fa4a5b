import type { Logger } from "pino";

/** What is refused: messages that are not what the protocol says, or that speak of what nobody knows. */
export type Refusable = "engine info" | "report" | "request";

/**
 * Tells of messages that are refused: the first one of each sender, in the log, and the first of each kind to people. The others are
 * counted, and told when the run ends, so that nobody can fill a log.
 */
export class Refusals {
  readonly #log: Logger;
  readonly #onNotice: (message: string) => void;
  readonly #counts = new Map<string, { readonly what: Refusable; readonly from: string; count: number }>();
  readonly #noticed = new Set<Refusable>();

  constructor(log: Logger, onNotice: (message: string) => void) {
    this.#log = log;
    this.#onNotice = onNotice;
  }

  refuse(what: Refusable, from: string, why: string): void {
    const sender = this.#counts.size < mostSenders ? from : others;
    const known = this.#counts.get(`${what} ${from}`) ?? this.#counts.get(`${what} ${sender}`);
    if (known !== undefined) {
      known.count++;
      return;
    }
    this.#counts.set(`${what} ${sender}`, { what, from: sender, count: 1 });
    this.#log.error({ from: sender, why }, `refused: ${what}; the next ones are counted`);
    if (this.#noticed.has(what)) return;
    this.#noticed.add(what);
    this.#onNotice(
      `the ${what} of ${sender} was refused: ${why}. Is it of another version of Taskmuster? Others are told in the driver's log`,
    );
  }

  /** How many there were of each, where there was more than one. */
  tell(): void {
    for (const { what, from, count } of this.#counts.values()) {
      if (count > 1) this.#log.warn({ from, count }, `refused so many: ${what}`);
    }
  }
}

/** Told apart; all beyond are one. */
const mostSenders = 100;
const others = "others";
