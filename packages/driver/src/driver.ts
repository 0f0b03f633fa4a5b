import type { FencingToken } from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import { Bell } from "./bell.js";
import type { RunFacts } from "./core/run-state-of.js";
import type { DriverCore } from "./core/driver-core.js";
import type { RunView } from "./core/run-view.js";
import type { Feeder } from "./feeder.js";
import type { LedgerFile } from "./ledger-file.js";
import { noteEnd, noteExceptions } from "./ledger-notes.js";
import { Members } from "./members.js";
import { Pulse, lookEveryMs } from "./pulse.js";
import { Presence } from "./presence.js";
import { Publisher } from "./publisher.js";
import { Receiver } from "./receiver.js";
import { Recorder } from "./recorder.js";
import { Refusals } from "./refusals.js";
import { RetryClock } from "./retry-clock.js";
import type { RunContext } from "./run-context.js";
import type { ResultSink } from "./result-sink.js";
import { Shutdown } from "./shutdown.js";
import { StatusDisk } from "./status-disk.js";
import type { StatusFile } from "./status-file.js";
import type { DriverStore } from "./store/driver-store.js";
import { storeListener } from "./store/store-listener.js";

export interface DriverParts {
  readonly store: DriverStore;
  /** A server of our own, which is started again when it dies. */
  readonly privateStore?: boolean;
  readonly token: FencingToken;
  readonly core: DriverCore;
  readonly feeder: Feeder;
  readonly room: Bell;
  readonly statusFile: StatusFile;
  /** Told of what is on disk. */
  readonly sinks: readonly ResultSink[];
  readonly ledger: LedgerFile;
  /** Those that this process has started; others may join. */
  readonly contexts: readonly RunContext[];
  readonly facts: RunFacts;
  readonly log: Logger;
  readonly leaseMs: number;
  readonly graceMs: number;
  /** Engines on which everything fails at once, and not elsewhere, are drained. */
  readonly drainsFailing: boolean;
  readonly onNotice: (message: string) => void;
  /** What a person must hear who wants to hear of errors only; else they are notices. */
  readonly onError?: ((message: string) => void) | undefined;
}

const mostWaitingBytes = 4 * 1024 * 1024;

/**
 * The driver's loops around its core: items in, tasks out, reports in, rows out, and a look at who is still there. Each loop
 * waits on its own input only; the core is the one place where they meet.
 */
export class Driver {
  readonly #parts: DriverParts;
  readonly #members: Members;
  readonly #presence: Presence;
  readonly #pulse: Pulse;
  readonly #disk: StatusDisk;
  readonly #recorder: Recorder;
  readonly #refusals: Refusals;
  readonly #retryClock: RetryClock;
  readonly #publisher: Publisher;
  readonly #shutdown: Shutdown;
  readonly #receiver: Receiver;
  readonly #toSay = new Bell();
  readonly #end = new AbortController();

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.#disk = new StatusDisk(parts, () => this.#onNews());
    parts.ledger.watch({
      onStuck: (error) => {
        parts.log.error({ err: error }, "cannot write the ledger");
        parts.onNotice(`${error.message}. Its entries are kept, and written later`);
      },
      onFree: () => parts.log.warn("the ledger can be written again"),
    });
    this.#recorder = new Recorder({
      ...parts,
      patience: this.#disk.patience,
      acknowledge: (upTo) => parts.store.acknowledge(parts.token, upTo),
    });
    this.#publisher = new Publisher(parts);
    this.#refusals = new Refusals(parts.log, (message) => parts.onNotice(message));
    this.#retryClock = new RetryClock(parts.core, () => this.#onNews());
    this.#members = new Members(parts, this.#refusals, {
      onNews: () => this.#onNews(),
      onExpelled: (engine) => {
        for (const context of parts.contexts) context.drop(engine, "");
      },
      onNotice: (message) => parts.onNotice(message),
      note: (entry) => parts.ledger.append(entry),
    });
    this.#presence = new Presence(
      {
        members: this.#members,
        core: parts.core,
        contexts: parts.contexts,
        serves: parts.facts.serves,
        everyMs: lookEveryMs(parts.leaseMs),
        closeDoor: () => parts.store.order(parts.token, { kind: "run" }, "stop"),
      },
      {
        onNews: () => this.#onNews(),
        onGone: () => this.#receiver.wake(),
        onError: (error) => this.#shutdown.break(error),
      },
    );
    const meeting = { ...parts, members: this.#members, presence: this.#presence };
    this.#shutdown = new Shutdown(
      { ...meeting, disk: this.#disk },
      {
        onNews: () => this.#onNews(),
        onBroken: () => this.#receiver.wake(),
        onFenced: () => this.#toSay.ring(),
      },
    );
    this.#receiver = new Receiver(
      { ...meeting, recorder: this.#recorder, refusals: this.#refusals, shutdown: this.#shutdown },
      {
        onOrders: () => this.#onOrders(),
        onNews: () => this.#onNews(),
        noteExceptions: () => noteExceptions(parts.core, parts.ledger),
      },
    );
    this.#pulse = new Pulse(parts, this.#members, this.#presence, this, this.#refusals);
    parts.store.listen?.(
      storeListener({
        ...parts,
        isPrivate: parts.privateStore === true,
        note: (entry) => parts.ledger.append(entry),
        look: () => this.#presence.look(),
        onNews: () => this.#onNews(),
      }),
    );
  }

  get view(): RunView {
    return this.#parts.core.view;
  }

  /** Another driver has taken the run over. */
  get wasFenced(): boolean {
    return this.#shutdown.isFenced;
  }

  /** Resolves when the run has ended, however it did; `view.reason` tells. The files are closed, the store is not. */
  async run(): Promise<RunView> {
    const { core, ledger, statusFile } = this.#parts;
    const feeding = this.#parts.feeder
      .run(() => {
        this.#onItems();
        // What is skipped is read faster than a disk writes.
        return this.#recorder.waiting > mostWaitingBytes ? this.#recorder.record() : null;
      })
      .catch((error: unknown) => this.#shutdown.break(error));
    const talking = this.#talk().catch((error: unknown) => this.#shutdown.break(error));
    const ticking = this.#pulse.run(this.#end.signal).catch((error: unknown) => this.#shutdown.break(error));
    await this.#receiver.run();
    // Before the run is over: it may fail, and that must count.
    if (!this.wasFenced)
      await this.#recorder.finish().catch((error: unknown) => this.#shutdown.onRecordFailed(error));
    core.onNobodyLeft();
    this.#disk.close();
    this.#end.abort();
    this.#retryClock.stop();
    this.#shutdown.close();
    this.#onNews();
    await Promise.all([talking, ticking]);
    // The feeder may wait for a stream that never ends; nobody needs what it would bring.
    void feeding;
    if (this.wasFenced) ledger.close();
    else {
      this.#refusals.tell();
      this.#writeEnd();
    }
    await statusFile.close();
    return core.view;
  }

  #writeEnd(): void {
    const { core, ledger, statusFile, onNotice } = this.#parts;
    const failure = this.#shutdown.recordFailure;
    noteEnd(core, ledger, {
      bytes: statusFile.bytes,
      unrecorded: { ids: failure === null ? [] : this.#recorder.unrecorded(), why: failure?.message ?? "" },
    });
    if (ledger.close()) onNotice(`the last entries of ${ledger.path} could not be written`);
  }

  /** Soft: what runs ends, nothing more starts. */
  drain(signal: string): void {
    this.#parts.core.drain(signal);
    this.#onNews();
    // People want to know now how many they are waiting for.
    this.#presence.look();
  }

  /** Hard: what runs is stopped, with the grace between TERM and KILL. */
  stop(signal: string): void {
    this.#parts.core.stop({ kind: "stopped", signal });
    this.#disk.stop();
    this.#onNews();
  }

  /** Something that the run cannot do without has failed outside these loops. */
  fail(error: Error): void {
    this.#shutdown.break(error);
  }

  /** At once, without grace. */
  kill(): void {
    this.#shutdown.kill();
  }

  /** Wakes whoever may have something to do. */
  #onNews(): void {
    this.#parts.room.ring();
    this.#onItems();
  }

  /** The feeder has news; it does not wake itself. */
  #onItems(): void {
    this.#onOrders();
    // What has failed once has been said, and saying so makes news of its own; what is stuck is at work.
    if (this.#shutdown.recordFailure === null && !this.#disk.stuck)
      this.#recorder.record().catch((error: unknown) => this.#shutdown.onRecordFailed(error));
  }

  /** There may be something to tell the store. */
  #onOrders(): void {
    this.#retryClock.look();
    this.#toSay.ring();
    this.#shutdown.look();
  }

  /** What the core wants the store to be told: one request at a time, in the order in which the core wants it. */
  async #talk(): Promise<void> {
    while (!this.#end.signal.aborted) {
      if (!(await this.#sayNext())) await this.#toSay.wait();
    }
  }

  /** False: there was nothing to say. */
  async #sayNext(): Promise<boolean> {
    const { core, ledger, store, token, sinks } = this.#parts;
    const order = core.takeOrder();
    if (order !== null) {
      await store.order(token, { kind: "run" }, order);
      this.#presence.onOrdered();
    }
    for (const { key, value } of core.takePosts()) {
      await store.post(token, key, value);
      for (const sink of sinks) await sink.post(key, value);
    }
    // Before anybody can have what it is about.
    noteExceptions(core, ledger);
    return (await this.#publisher.next()) || order !== null;
  }
}
