import { setImmediate } from "node:timers/promises";
import type { FencingToken } from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import { Bell } from "./bell.js";
import type { DriverCore } from "./core/driver-core.js";
import { Gathering } from "./core/gathering.js";
import { queuedTask } from "./core/outstanding.js";
import type { Members } from "./members.js";
import type { Presence } from "./presence.js";
import type { Recorder } from "./recorder.js";
import type { Refusals } from "./refusals.js";
import { readReports } from "./report-reader.js";
import type { Shutdown } from "./shutdown.js";
import { StatusFileError } from "./status-file.js";
import type { DriverStore } from "./store/driver-store.js";

interface ReceiverParts {
  readonly store: DriverStore;
  readonly token: FencingToken;
  readonly core: DriverCore;
  readonly room: Bell;
  readonly log: Logger;
  readonly members: Members;
  readonly presence: Presence;
  readonly recorder: Recorder;
  readonly refusals: Refusals;
  readonly shutdown: Shutdown;
}

interface ReceiverEvents {
  /** There may be something to tell the store. */
  onOrders(): void;
  /** Anybody may have something to do. */
  onNews(): void;
  /** Before reports are acknowledged: what the ledger is to be told of them. */
  noteExceptions(): void;
}

const receiveMost = 2000;
const bellMs = 10_000;

/** Takes what engines have reported from the store to the core, and has it recorded, until nobody is left who could report. */
export class Receiver {
  readonly #parts: ReceiverParts;
  readonly #events: ReceiverEvents;
  readonly #wake = new Bell();
  readonly #gathering = new Gathering();
  #ring: Promise<unknown> | null = null;

  constructor(parts: ReceiverParts, events: ReceiverEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  /** Somebody is gone, or the run is to stop: it waits for nothing that has no reason any more. */
  wake(): void {
    this.#wake.ring();
  }

  /** Until everybody is gone and all that they reported is on disk. One batch is on its way there while the next one is taken. */
  async run(): Promise<void> {
    const { members, presence, recorder, shutdown } = this.#parts;
    let position = 0;
    let recorded = Promise.resolve();
    for (;;) {
      try {
        const last = presence.nobodyLeft;
        const taken = await this.#take(position);
        if (taken.count === 0) {
          if (last) return await recorded;
          await this.#waitForReports();
          continue;
        }
        position = taken.position;
        this.#gathering.came(taken.count);
        await this.#withdraw();
        this.#events.noteExceptions();
        await recorded;
        recorded = recorder.record(position);
        recorded.catch((error: unknown) => shutdown.onRecordFailed(error));
        if (members.limited) presence.look();
        if (taken.count < receiveMost) await this.#gather();
      } catch (error) {
        if (error instanceof StatusFileError) shutdown.onRecordFailed(error);
        else shutdown.break(error);
        return this.#seeOff(position);
      }
    }
  }

  /** Until everybody is gone, as far as can be told. What they report is not recorded any more, but counted. */
  async #seeOff(position: number): Promise<void> {
    const { presence, shutdown, log } = this.#parts;
    const areGone = (): boolean => (shutdown.isStoreless ? presence.contextsLeft === 0 : presence.nobodyLeft);
    while (!areGone() && !shutdown.isFenced) await this.#wake.wait();
    if (shutdown.isFenced) return;
    try {
      for (let from = position; !shutdown.isStoreless;) {
        const taken = await this.#take(from);
        if (taken.count === 0) return;
        from = taken.position;
      }
    } catch (error) {
      log.error({ err: error }, "what else was reported is not known");
    }
  }

  /** A function of its own, so that nobody holds on to thousands of reports while they are on their way to the disk. */
  async #take(position: number): Promise<{ readonly count: number; readonly position: number }> {
    const { store, token, core, room, members, refusals } = this.#parts;
    const { from, reports } = await store.receive(token, receiveMost, position);
    if (reports.length > 0) {
      const read = readReports(reports, refusals);
      core.onReports(read, Date.now());
      members.health.onReports(read);
      for (const { engine, what } of core.takeStrays()) refusals.refuse("report", `engine ${engine}`, what);
      room.ring();
      this.#events.onOrders();
    }
    return { count: reports.length, position: from + reports.length };
  }

  /** Late successes: whether they count must be known before they are acknowledged. */
  async #withdraw(): Promise<void> {
    const { store, token, core } = this.#parts;
    for (const withdrawal of core.takeWithdrawals()) {
      const withdrawn = await store.withdraw(token, queuedTask(withdrawal.task));
      core.onWithdrawn(withdrawal, withdrawn, Date.now());
      this.#events.onNews();
    }
  }

  async #waitForReports(): Promise<void> {
    const { store, presence } = this.#parts;
    // Gone since the last look: the ring may have reached a wait that was given up.
    if (presence.nobodyLeft) return;
    // Who goes away says nothing more: the end must not wait for the bell's deadline. But a wait that was begun
    // is kept for the next time, or it would swallow a ring.
    this.#ring ??= store.waitForBell("driver", bellMs).finally(() => {
      this.#ring = null;
      if (store.reuniting === true) presence.look();
      else presence.onBell();
    });
    this.#ring.catch(() => undefined);
    await Promise.race([this.#ring, this.#wake.wait()]);
  }

  /** Many reports in one look cost little more than one. Cut short when the run is to stop. */
  async #gather(): Promise<void> {
    // What has ended has made room: the list is read on before one can say how long it lasts.
    await setImmediate();
    const ms = this.#gathering.next(this.#parts.core.amplyOut);
    if (ms === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const passed = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([passed, this.#wake.wait()]);
    clearTimeout(timer);
  }
}
