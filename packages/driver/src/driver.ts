import { setTimeout as delay } from "node:timers/promises";
import {
  FencedError,
  KvsClosedError,
  KvsError,
  KvsLostError,
  MalformedMessageError,
  TaskmusterError,
} from "@taskmuster/kvs";
import type { FencingToken } from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import { Bell } from "./bell.js";
import type { RunFacts } from "./core/run-state-of.js";
import type { DriverCore } from "./core/driver-core.js";
import { stopWords } from "./core/end-reason.js";
import type { LedgerEntry } from "./core/ledger-entry.js";
import { queuedTask } from "./core/outstanding.js";
import type { RunView } from "./core/run-view.js";
import { rangesOf } from "./core/unrecorded.js";
import type { Feeder } from "./feeder.js";
import type { LedgerFile } from "./ledger-file.js";
import { Members } from "./members.js";
import { Pulse, lookEveryMs } from "./pulse.js";
import { Presence } from "./presence.js";
import { Publisher } from "./publisher.js";
import { Recorder } from "./recorder.js";
import { Refusals } from "./refusals.js";
import { readReports } from "./report-reader.js";
import { RetryClock } from "./retry-clock.js";
import type { RunContext } from "./run-context.js";
import type { ResultSink } from "./result-sink.js";
import { StatusDisk } from "./status-disk.js";
import { type StatusFile, StatusFileError } from "./status-file.js";
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

const receiveMost = 2000;
const bellMs = 10_000;
const mostGatherMs = 500;
const leastGatherMs = 5;
const mostWaitingBytes = 4 * 1024 * 1024;
const answerMs = 3_000;

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
  readonly #toSay = new Bell();
  readonly #receiverWake = new Bell();
  #ring: Promise<unknown> | null = null;
  #stopTimer: NodeJS.Timeout | null = null;
  #over = false;
  /** Why rows cannot be recorded any more. */
  #recordFailure: Error | null = null;
  /** There is no store any more that could tell who is left. */
  #storeless = false;
  /** Another driver has taken over. */
  #fenced = false;
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
        onGone: () => this.#receiverWake.ring(),
        onError: (error) => this.#break(error),
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
    return this.#fenced;
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
      .catch((error: unknown) => this.#break(error));
    const talking = this.#talk().catch((error: unknown) => this.#break(error));
    const ticking = this.#pulse.run(this.#end.signal).catch((error: unknown) => this.#break(error));
    await this.#receive();
    // Before the run is over: it may fail, and that must count.
    if (!this.#fenced) await this.#recorder.finish().catch((error: unknown) => this.#onRecordFailed(error));
    core.onNobodyLeft();
    this.#over = true;
    this.#disk.close();
    this.#end.abort();
    this.#retryClock.stop();
    if (this.#stopTimer !== null) clearTimeout(this.#stopTimer);
    this.#onNews();
    await Promise.all([talking, ticking]);
    // The feeder may wait for a stream that never ends; nobody needs what it would bring.
    void feeding;
    if (this.#fenced) ledger.close();
    else {
      this.#refusals.tell();
      this.#writeEnd();
    }
    await statusFile.close();
    return core.view;
  }

  #writeEnd(): void {
    const { core, ledger, statusFile, onNotice } = this.#parts;
    const at = new Date().toISOString();
    this.#noteExceptions();
    const unrecorded = this.#recordFailure === null ? [] : this.#recorder.unrecorded();
    core.onUnrecorded(unrecorded.length);
    if (unrecorded.length > 0) {
      const why = this.#recordFailure?.message ?? "";
      ledger.append({ kind: "unrecorded", at, why, ids: rangesOf(unrecorded) });
    }
    const { ids, whole } = core.listRead;
    ledger.append({
      kind: "end",
      at,
      reason: core.reason?.kind ?? "finished",
      done: core.view.done - unrecorded.length,
      ids,
      listRead: whole,
      bytes: statusFile.bytes,
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
    this.#break(error);
  }

  /** At once, without grace. */
  kill(): void {
    if (this.#fenced) return;
    this.#disk.giveUp();
    for (const context of this.#parts.contexts) context.kill();
    void this.#killOthers();
  }

  /** Those that others started cannot be killed from here: the store tells them, or their lease. If it answers. */
  async #killOthers(): Promise<void> {
    const { store } = this.#parts;
    const told = this.#presence.ordered ? this.#members.expelAll("killed") : store.snapshot();
    const answered = told.then(
      () => true,
      () => true,
    );
    if (!(await Promise.race([answered, delay(answerMs, false, { ref: false })]))) {
      this.#break(
        new KvsLostError(
          "the key-value store does not answer, and nobody wants to wait for it",
          "unreachable",
        ),
      );
    }
    this.#presence.look();
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
    if (this.#recordFailure === null && !this.#disk.stuck)
      this.#recorder.record().catch((error: unknown) => this.#onRecordFailed(error));
  }

  /** There may be something to tell the store. */
  #onOrders(): void {
    this.#retryClock.look();
    this.#toSay.ring();
    if (this.#parts.core.phase === "stopping" && this.#stopTimer === null && !this.#fenced)
      this.#watchStop(this.#parts.graceMs + 5_000);
  }

  /** What the core wants the store to be told: one request at a time, in the order in which the core wants it. */
  async #talk(): Promise<void> {
    while (!this.#over) {
      if (!(await this.#sayNext())) await this.#toSay.wait();
    }
  }

  /** False: there was nothing to say. */
  async #sayNext(): Promise<boolean> {
    const { core, store, token, sinks } = this.#parts;
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
    this.#noteExceptions();
    return (await this.#publisher.next()) || order !== null;
  }

  /** Until everybody is gone and all that they reported is on disk. One batch is on its way there while the next one is taken. */
  async #receive(): Promise<void> {
    let position = 0;
    let recorded = Promise.resolve();
    for (;;) {
      try {
        const last = this.#presence.nobodyLeft;
        const taken = await this.#takeReports(position);
        if (taken.count === 0) {
          if (last) return await recorded;
          await this.#waitForReports();
          continue;
        }
        position = taken.position;
        await this.#withdraw();
        this.#noteExceptions();
        await recorded;
        recorded = this.#recorder.record(position);
        recorded.catch((error: unknown) => this.#onRecordFailed(error));
        if (this.#members.limited) this.#presence.look();
        if (taken.count < receiveMost / 4) await this.#gather(this.#parts.core.spareMs);
      } catch (error) {
        if (error instanceof StatusFileError) this.#onRecordFailed(error);
        else this.#break(error);
        return this.#seeOff(position);
      }
    }
  }

  /** Until everybody is gone, as far as can be told. What they report is not recorded any more, but counted. */
  async #seeOff(position: number): Promise<void> {
    const areGone = (): boolean =>
      this.#storeless ? this.#presence.contextsLeft === 0 : this.#presence.nobodyLeft;
    while (!areGone() && !this.#fenced) await this.#receiverWake.wait();
    if (this.#fenced) return;
    try {
      for (let from = position; !this.#storeless;) {
        const taken = await this.#takeReports(from);
        if (taken.count === 0) return;
        from = taken.position;
      }
    } catch (error) {
      this.#parts.log.error({ err: error }, "what else was reported is not known");
    }
  }

  /** A function of its own, so that nobody holds on to thousands of reports while they are on their way to the disk. */
  async #takeReports(position: number): Promise<{ readonly count: number; readonly position: number }> {
    const { store, token, core, room } = this.#parts;
    const { from, reports } = await store.receive(token, receiveMost, position);
    if (reports.length > 0) {
      const read = readReports(reports, this.#refusals);
      core.onReports(read, Date.now());
      this.#members.health.onReports(read);
      for (const { engine, what } of core.takeStrays())
        this.#refusals.refuse("report", `engine ${engine}`, what);
      room.ring();
      this.#onOrders();
    }
    return { count: reports.length, position: from + reports.length };
  }

  /** Late successes: whether they count must be known before they are acknowledged. */
  async #withdraw(): Promise<void> {
    const { store, token, core } = this.#parts;
    for (const withdrawal of core.takeWithdrawals()) {
      const withdrawn = await store.withdraw(token, queuedTask(withdrawal.task));
      core.onWithdrawn(withdrawal, withdrawn, Date.now());
      this.#onNews();
    }
  }

  async #waitForReports(): Promise<void> {
    // Gone since the last look: the ring may have reached a wait that was given up.
    if (this.#presence.nobodyLeft) return;
    // Who goes away says nothing more: the end must not wait for the bell's deadline. But a wait that was begun
    // is kept for the next time, or it would swallow a ring.
    this.#ring ??= this.#parts.store.waitForBell("driver", bellMs).finally(() => {
      this.#ring = null;
      if (this.#parts.store.reuniting === true) this.#presence.look();
      else this.#presence.onBell();
    });
    this.#ring.catch(() => undefined);
    await Promise.race([this.#ring, this.#receiverWake.wait()]);
  }

  /** Many reports in one look cost little more than one. Cut short when the run is to stop. */
  async #gather(spareMs: number): Promise<void> {
    if (spareMs < leastGatherMs) return;
    let timer: NodeJS.Timeout | undefined;
    const passed = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(spareMs, mostGatherMs));
    });
    await Promise.race([passed, this.#receiverWake.wait()]);
    clearTimeout(timer);
  }

  #onRecordFailed(error: unknown): void {
    if (this.#recordFailure !== null) return;
    this.#recordFailure = error instanceof Error ? error : new Error(String(error));
    this.#break(error);
    // Tasks have had their time to end, and engines wait for what will not come.
    if (this.#disk.stopped) this.kill();
  }

  /** Something failed that the run cannot do without: nothing more may start, and what runs cannot be recorded. */
  #break(error: unknown): void {
    // What was under way when the store was given up: its failure is no news.
    if (this.#over || this.#fenced || error instanceof KvsClosedError) return;
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
      this.#storeless = true;
      for (const context of contexts) context.terminate();
    }
    // Nobody will answer what waits for a store that is gone.
    if (error instanceof KvsLostError) void store.disconnect();
    if (this.#stopTimer !== null) clearTimeout(this.#stopTimer);
    this.#watchStop(graceMs + 500, senseless);
    this.#receiverWake.ring();
    this.#onNews();
  }

  /** Another driver has taken over: engines, store and files are its own now, and it must not be disturbed. */
  #onFenced(): void {
    const { core, log, store } = this.#parts;
    log.fatal("another driver has taken this run over");
    this.#fenced = true;
    core.stop({ kind: "fenced" });
    if (this.#stopTimer !== null) clearTimeout(this.#stopTimer);
    this.#disk.giveUp();
    this.#receiverWake.ring();
    this.#toSay.ring();
    void store.disconnect();
  }

  #watchStop(ms: number, givesUpStore = false): void {
    this.#stopTimer = setTimeout(() => {
      if (this.#presence.nobodyLeft) return;
      // They cannot go before what they did is recorded, and nobody is in a hurry.
      if (this.#disk.stuck && !this.#disk.stopped) return this.#watchStop(ms);
      this.#parts.log.warn("engines that did not go when told are killed");
      this.kill();
      if (givesUpStore) void this.#parts.store.disconnect();
    }, ms);
  }

  /** What the ledger is told of single tasks: before their reports are acknowledged. */
  #noteExceptions(): void {
    const { core, ledger } = this.#parts;
    const taken = core.takeExceptions();
    if (taken.length === 0) return;
    const at = new Date().toISOString();
    const why = stopWords(core.reason);
    ledger.append(
      ...taken.map((each): LedgerEntry =>
        each.kind === "stoppedTasks" ? { ...each, at, why: each.lost ? "" : why } : { ...each, at },
      ),
    );
  }
}
