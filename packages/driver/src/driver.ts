import { setTimeout as delay } from "node:timers/promises";
import type { KvsStore } from "@taskmuster/kvs";
import {
  FencedError,
  KvsClosedError,
  KvsLostError,
  MalformedMessageError,
  TaskmusterError,
} from "@taskmuster/kvs";
import { type FencingToken, decodeReport } from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import { Bell } from "./bell.js";
import type { DriverCore, ReceivedFrom } from "./core/driver-core.js";
import { queuedTask } from "./core/outstanding.js";
import type { RunView } from "./core/run-view.js";
import { formatRows } from "./core/status-line/index.js";
import type { Feeder } from "./feeder.js";
import type { LedgerFile } from "./ledger-file.js";
import { Members } from "./members.js";
import type { RunContext } from "./run-context.js";
import type { StatusFile } from "./status-file.js";

export interface DriverParts {
  readonly store: KvsStore;
  readonly token: FencingToken;
  readonly core: DriverCore;
  readonly feeder: Feeder;
  readonly room: Bell;
  readonly statusFile: StatusFile;
  readonly ledger: LedgerFile;
  readonly contexts: readonly RunContext[];
  readonly log: Logger;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly onNotice: (message: string) => void;
}

const receiveMost = 2000;
const publishMost = 1000;
const publishBytes = 1024 * 1024;
const bellMs = 10_000;
const gatherMs = 20;
const beatMs = 1_000;
const sweepMs = 5_000;
/** An engine that has not joined by then hangs in its own start. */
const joinMs = 60_000;

/**
 * The driver's loops around its core: items in, tasks out, reports in, rows out, and a look at who is still there. Each loop
 * waits on its own input only; the core is the one place where they meet.
 */
export class Driver {
  readonly #parts: DriverParts;
  readonly #members: Members;
  readonly #toSay = new Bell();
  readonly #receiverWake = new Bell();
  #contextsLeft: number;
  #ring: Promise<unknown> | null = null;
  #publishes = 0;
  #stopTimer: NodeJS.Timeout | null = null;
  #over = false;
  readonly #end = new AbortController();

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.#contextsLeft = parts.contexts.length;
    this.#members = new Members(parts, {
      onNews: () => this.#onNews(),
      note: (entry) => this.#note(entry),
    });
  }

  get view(): RunView {
    return this.#parts.core.view;
  }

  /** Resolves when the run has ended, however it did; `view.reason` tells. The files are closed, the store is not. */
  async run(): Promise<RunView> {
    const { core, ledger, statusFile } = this.#parts;
    for (const context of this.#parts.contexts) {
      void context.gone.then((end) => this.#onContextGone(context, end.ok ? "" : end.message));
    }
    const feeding = this.#parts.feeder
      .run(() => this.#onItems())
      .catch((error: unknown) => this.#break(error));
    const talking = this.#talk().catch((error: unknown) => this.#break(error));
    const ticking = this.#tick();
    await this.#receive();
    core.onNoContextLeft(this.#members.lastMessage);
    await this.#writeRows().catch((error: unknown) => this.#break(error));
    this.#over = true;
    this.#end.abort();
    if (this.#stopTimer !== null) clearTimeout(this.#stopTimer);
    this.#onNews();
    await Promise.all([talking, ticking]);
    // The feeder may wait for a stream that never ends; nobody needs what it would bring.
    void feeding;
    this.#note({
      kind: "end",
      at: new Date().toISOString(),
      reason: core.reason?.kind ?? "finished",
      done: core.view.done,
    });
    ledger.close();
    await statusFile.close();
    return core.view;
  }

  /** Soft: what runs ends, nothing more starts. */
  drain(signal: string): void {
    this.#parts.core.drain(signal);
    this.#onNews();
    // People want to know now how many they are waiting for.
    this.#members.look(sweepMs).catch((error: unknown) => this.#break(error));
  }

  /** Hard: what runs is stopped, with the grace between TERM and KILL. */
  stop(signal: string): void {
    this.#parts.core.stop({ kind: "stopped", signal });
    this.#onNews();
  }

  /** Something that the run cannot do without has failed outside these loops. */
  fail(error: Error): void {
    this.#break(error);
  }

  /** At once, without grace. */
  kill(): void {
    for (const context of this.#parts.contexts) context.kill();
  }

  /** Wakes whoever may have something to do. */
  #onNews(): void {
    this.#parts.room.ring();
    this.#onItems();
  }

  /** The feeder has news; it does not wake itself. */
  #onItems(): void {
    this.#toSay.ring();
    if (this.#parts.core.phase === "stopping" && this.#stopTimer === null)
      this.#watchStop(this.#parts.graceMs + 5_000);
    void this.#writeRows().catch((error: unknown) => this.#break(error));
  }

  async #writeRows(): Promise<void> {
    const rows = this.#parts.core.takeRows();
    if (rows.length > 0) await this.#parts.statusFile.append(formatRows(rows));
  }

  /** What the core wants the store to be told: one request at a time, in the order in which the core wants it. */
  async #talk(): Promise<void> {
    const { core, store, token } = this.#parts;
    while (!this.#over) {
      const order = core.takeOrder();
      if (order !== null) await store.order(token, { kind: "run" }, order);
      for (const post of core.takePosts()) await store.post(token, post.key, post.value);
      const publish = core.takePublish(publishMost, publishBytes);
      if (publish !== null) await store.publish(token, ++this.#publishes, publish.tasks, publish.where);
      else if (order === null) await this.#toSay.wait();
    }
  }

  /** Until every context is gone and all that they reported is on disk. */
  async #receive(): Promise<void> {
    const { store, token, core } = this.#parts;
    for (;;) {
      try {
        const last = this.#contextsLeft === 0;
        const { from, reports } = await store.receive(token, receiveMost);
        if (reports.length === 0) {
          if (last) return;
          await this.#waitForReports();
          continue;
        }
        const decoded = this.#decoded(reports);
        core.onReports(decoded, Date.now());
        const written = this.#writeRows();
        this.#onNews();
        await written;
        await this.#withdraw();
        await store.acknowledge(token, from + reports.length);
        await this.#members.retireSpent(decoded);
        if (core.canGather && reports.length < receiveMost / 4) await this.#gather();
      } catch (error) {
        this.#break(error);
        while (this.#contextsLeft > 0) await this.#receiverWake.wait();
        return;
      }
    }
  }

  /** Late successes: whether they count must be known, and on disk, before they are acknowledged. */
  async #withdraw(): Promise<void> {
    const { store, token, core } = this.#parts;
    for (const withdrawal of core.takeWithdrawals()) {
      const withdrawn = await store.withdraw(token, queuedTask(withdrawal.task));
      core.onWithdrawn(withdrawal, withdrawn, Date.now());
      const written = this.#writeRows();
      this.#onNews();
      await written;
    }
  }

  async #waitForReports(): Promise<void> {
    // Gone since the last look: the ring may have reached a wait that was given up.
    if (this.#contextsLeft === 0) return;
    // A context that goes away says nothing more: its end must not wait for the bell's deadline. But a wait that was begun
    // is kept for the next time, or it would swallow a ring.
    this.#ring ??= this.#parts.store.waitForBell("driver", bellMs).finally(() => {
      this.#ring = null;
    });
    this.#ring.catch(() => undefined);
    await Promise.race([this.#ring, this.#receiverWake.wait()]);
  }

  /** Many reports in one look cost little more than one. Cut short when the run is to stop. */
  async #gather(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const passed = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, gatherMs);
    });
    await Promise.race([passed, this.#receiverWake.wait()]);
    clearTimeout(timer);
  }

  #decoded(reports: Awaited<ReturnType<KvsStore["receive"]>>["reports"]): readonly ReceivedFrom[] {
    const decoded: ReceivedFrom[] = [];
    for (const { engine, number, body } of reports) {
      try {
        decoded.push({ engine, number, report: decodeReport(body) });
      } catch (error) {
        if (!(error instanceof MalformedMessageError)) throw error;
        this.#parts.log.error({ engine, number, err: error }, "a report was refused");
      }
    }
    return decoded;
  }

  /** Says that the driver lives, and looks who else does. */
  async #tick(): Promise<void> {
    const { store, token, leaseMs } = this.#parts;
    const everyMs = Math.min(sweepMs, leaseMs / 10);
    const startedAt = performance.now();
    let sweptAt = -Infinity;
    while (!this.#over) {
      try {
        await store.beat(token);
        if (performance.now() - sweptAt >= everyMs || this.#parts.core.phase !== "running") {
          sweptAt = performance.now();
          await this.#members.look(everyMs);
        }
      } catch (error) {
        this.#break(error);
        return;
      }
      if (performance.now() - startedAt > joinMs && !this.#members.anyJoined) {
        this.#members.lastMessage = `no engine has joined within ${joinMs / 1000} s`;
        this.kill();
      }
      await delay(Math.min(beatMs, everyMs), undefined, { signal: this.#end.signal }).catch(() => undefined);
    }
  }

  async #onContextGone(context: RunContext, message: string): Promise<void> {
    try {
      await this.#members.contextGone(context, message);
    } catch (error) {
      this.#break(error);
    }
    this.#contextsLeft--;
    this.#receiverWake.ring();
  }

  /** Something failed that the run cannot do without: nothing more may start, and what runs cannot be recorded. */
  #break(error: unknown): void {
    // What was under way when the store was given up: its failure is no news.
    if (this.#over || error instanceof KvsClosedError) return;
    const { core, contexts, log, graceMs, store } = this.#parts;
    const message = error instanceof Error ? error.message : String(error);
    log.fatal({ err: error }, "the run cannot go on");
    const unexpected = !(error instanceof TaskmusterError);
    core.stop({ kind: "broken", message: unexpected ? `unexpected error: ${message}` : message });
    // What cannot be written is not acknowledged, so engines would wait for ever: they are told to go.
    if (error instanceof KvsLostError || error instanceof FencedError || unexpected) {
      for (const context of contexts) context.terminate();
    }
    // Nobody will answer what waits for a store that is gone.
    if (error instanceof KvsLostError) void store.disconnect();
    if (this.#stopTimer !== null) clearTimeout(this.#stopTimer);
    this.#watchStop(graceMs + 500);
    this.#onNews();
  }

  #watchStop(ms: number): void {
    this.#stopTimer = setTimeout(() => {
      if (this.#contextsLeft === 0) return;
      this.#parts.log.warn("engines that did not go when told are killed");
      this.kill();
    }, ms);
  }

  #note(entry: Parameters<LedgerFile["append"]>[0]): void {
    try {
      this.#parts.ledger.append(entry);
    } catch (error) {
      this.#parts.log.error({ err: error }, "cannot write the ledger");
      this.#parts.onNotice(error instanceof Error ? error.message : String(error));
    }
  }
}
