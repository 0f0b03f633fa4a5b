import { setTimeout as delay } from "node:timers/promises";
import {
  FencedError,
  KvsClosedError,
  KvsError,
  KvsLostError,
  MalformedMessageError,
  TaskmusterError,
} from "@taskmuster/kvs";
import type { Logger } from "pino";
import type { DriverCore } from "./core/driver-core.js";
import type { LedgerFile } from "./ledger-file.js";
import type { Members } from "./members.js";
import type { Presence } from "./presence.js";
import type { RunContext } from "./run-context.js";
import type { StatusDisk } from "./status-disk.js";
import type { DriverStore } from "./store/driver-store.js";

interface ShutdownParts {
  readonly store: DriverStore;
  readonly core: DriverCore;
  readonly ledger: LedgerFile;
  readonly contexts: readonly RunContext[];
  readonly log: Logger;
  readonly graceMs: number;
  readonly members: Members;
  readonly presence: Presence;
  readonly disk: StatusDisk;
}

interface ShutdownEvents {
  /** Anybody may have something to do. */
  onNews(): void;
  /** Whoever waits for reports waits for nothing more. */
  onBroken(): void;
  /** Nor has anybody anything to tell the store. */
  onFenced(): void;
}

const answerMs = 3_000;

/**
 * How a run ends that does not come to the end of its list by itself: engines that were told to go and do not are killed after a while;
 * something fails that it cannot do without; another driver takes over.
 */
export class Shutdown {
  readonly #parts: ShutdownParts;
  readonly #events: ShutdownEvents;
  #timer: NodeJS.Timeout | null = null;
  #isOver = false;
  #recordFailure: Error | null = null;
  #isStoreless = false;
  #isFenced = false;

  constructor(parts: ShutdownParts, events: ShutdownEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  /** Why rows cannot be recorded any more. */
  get recordFailure(): Error | null {
    return this.#recordFailure;
  }

  /** There is no store any more that could tell who is left. */
  get isStoreless(): boolean {
    return this.#isStoreless;
  }

  /** Another driver has taken over. */
  get isFenced(): boolean {
    return this.#isFenced;
  }

  /** The run is over: nothing can fail any more. */
  close(): void {
    this.#isOver = true;
    this.#clear();
  }

  /** To be called when the core has news: sees to it that a run which stops comes to its end. */
  look(): void {
    const { core, graceMs } = this.#parts;
    if (core.phase === "stopping" && this.#timer === null && !this.#isFenced) this.#watch(graceMs + 5_000);
  }

  /** Everybody, at once, without grace. */
  kill(): void {
    if (this.#isFenced) return;
    this.#parts.disk.giveUp();
    for (const context of this.#parts.contexts) context.kill();
    void this.#killOthers();
  }

  onRecordFailed(error: unknown): void {
    if (this.#recordFailure !== null) return;
    this.#recordFailure = error instanceof Error ? error : new Error(String(error));
    this.break(error);
    // Tasks have had their time to end, and engines wait for what will not come.
    if (this.#parts.disk.stopped) this.kill();
  }

  /** Something failed that the run cannot do without: nothing more may start, and what runs cannot be recorded. */
  break(error: unknown): void {
    // What was under way when the store was given up: its failure is no news.
    if (this.#isOver || this.#isFenced || error instanceof KvsClosedError) return;
    // The one that has taken over may have come to the end of the run meanwhile, store and all.
    if (error instanceof FencedError || !this.#parts.ledger.isOf(process.pid)) return this.#onFenced();
    const { core, contexts, log, graceMs, store } = this.#parts;
    const message = error instanceof Error ? error.message : String(error);
    log.fatal({ err: error }, "the run cannot go on");
    const unexpected = !(error instanceof TaskmusterError);
    core.stop({ kind: "broken", message: unexpected ? `unexpected error: ${message}` : message });
    // What cannot be written is not acknowledged, so engines would wait for ever: they are told to go.
    // Nor is anything heard any more of who is there when the store does not make sense.
    const senseless =
      error instanceof MalformedMessageError || (error instanceof KvsError && !message.includes("OOM"));
    if (senseless || error instanceof KvsLostError || unexpected) {
      this.#isStoreless = true;
      for (const context of contexts) context.terminate();
    }
    // Nobody will answer what waits for a store that is gone.
    if (error instanceof KvsLostError) void store.disconnect();
    this.#clear();
    this.#watch(graceMs + 500, senseless);
    this.#events.onBroken();
    this.#events.onNews();
  }

  /** Engines, store and files are the other driver's own now, and it must not be disturbed. */
  #onFenced(): void {
    const { core, log, store, disk } = this.#parts;
    log.fatal("another driver has taken this run over");
    this.#isFenced = true;
    core.stop({ kind: "fenced" });
    this.#clear();
    disk.giveUp();
    this.#events.onBroken();
    this.#events.onFenced();
    void store.disconnect();
  }

  #watch(ms: number, givesUpStore = false): void {
    const { disk, log, presence, store } = this.#parts;
    this.#timer = setTimeout(() => {
      if (presence.nobodyLeft) return;
      // They cannot go before what they did is recorded, and nobody is in a hurry.
      if (disk.stuck && !disk.stopped) return this.#watch(ms);
      log.warn("engines that did not go when told are killed");
      this.kill();
      if (givesUpStore) void store.disconnect();
    }, ms);
  }

  #clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Those that others started cannot be killed from here: the store tells them, or their lease. If it answers. */
  async #killOthers(): Promise<void> {
    const { store, presence, members } = this.#parts;
    const told = presence.ordered ? members.expelAll("killed") : store.snapshot();
    const answered = told.then(
      () => true,
      () => true,
    );
    if (!(await Promise.race([answered, delay(answerMs, false, { ref: false })]))) {
      this.break(
        new KvsLostError(
          "the key-value store does not answer, and nobody wants to wait for it",
          "unreachable",
        ),
      );
    }
    presence.look();
  }
}
