import { setTimeout as delay } from "node:timers/promises";
import type { KvsStore } from "@taskmuster/kvs";
import { FencedError, KvsLostError, MalformedMessageError, TaskmusterError } from "@taskmuster/kvs";
import {
  type ContextId,
  type EngineId,
  type FencingToken,
  type Snapshot,
  decodeEngineInfo,
  decodeReport,
} from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import { Bell } from "./bell.js";
import type { DriverCore, ReceivedFrom } from "./core/driver-core.js";
import { Leases } from "./core/leases.js";
import { queuedTask } from "./core/outstanding.js";
import type { RunView } from "./core/run-view.js";
import { formatRows } from "./core/status-line/index.js";
import type { Feeder } from "./feeder.js";
import type { LedgerFile } from "./ledger-file.js";
import type { StatusFile } from "./status-file.js";

/** A batch of resources as the driver sees it. */
export interface RunContext {
  readonly id: ContextId;
  /** At most so many tasks (`-C`); null: no limit. */
  readonly taskLimit: number | null;
  /** Resolves when everything of it is dead, by proof. */
  readonly gone: Promise<{ readonly ok: boolean; readonly message: string }>;
  /** Asks its engines to stop their tasks and go, without the store. */
  terminate(): void;
  /** Kills its engines; their guardians kill the tasks. */
  kill(): void;
}

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

/**
 * The driver's loops around its core: items in, tasks out, reports in, rows out, and a look at who is still there. Each loop
 * waits on its own input only; the core is the one place where they meet.
 */
export class Driver {
  readonly #parts: DriverParts;
  readonly #leases: Leases;
  readonly #toSay = new Bell();
  readonly #receiverWake = new Bell();
  readonly #limits: Map<ContextId, number>;
  readonly #contextOf = new Map<EngineId, ContextId>();
  #contextsLeft: number;
  #lastMessage = "";
  #ring: Promise<unknown> | null = null;
  #publishes = 0;
  #stopTimer: NodeJS.Timeout | null = null;
  #over = false;
  readonly #end = new AbortController();

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.#leases = new Leases(parts.leaseMs);
    this.#contextsLeft = parts.contexts.length;
    this.#limits = new Map(
      parts.contexts.flatMap((context) =>
        context.taskLimit === null ? [] : [[context.id, context.taskLimit] as const],
      ),
    );
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
    core.onNoContextLeft(this.#lastMessage);
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
    this.#sweep(sweepMs).catch((error: unknown) => this.#break(error));
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
        await this.#retireSpentContexts(decoded);
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

  /** A context that has run all the tasks it may (`-C`) goes; the store saw to it that it claimed no more. */
  async #retireSpentContexts(received: readonly ReceivedFrom[]): Promise<void> {
    if (this.#limits.size === 0) return;
    const { store, token } = this.#parts;
    for (const { engine, report } of received) {
      if (report.kind !== "task" || report.outcome.kind === "cancelled" || report.outcome.kind === "lost")
        continue;
      const context = this.#contextOf.get(engine) ?? (await this.#lookUpContext(engine));
      const left = context === undefined ? undefined : this.#limits.get(context);
      if (context === undefined || left === undefined) continue;
      this.#limits.set(context, left - 1);
      if (left !== 1) continue;
      this.#limits.delete(context);
      this.#parts.log.info({ context }, "task limit reached");
      this.#lastMessage = `context ${context} has run as many tasks as it may (-C)`;
      await store.order(token, { kind: "context", context }, "drain");
    }
  }

  async #lookUpContext(engine: EngineId): Promise<ContextId | undefined> {
    for (const known of (await this.#parts.store.snapshot()).engines)
      this.#contextOf.set(known.engine, known.context);
    return this.#contextOf.get(engine);
  }

  /** Says that the driver lives, and looks who else does. */
  async #tick(): Promise<void> {
    const { store, token, leaseMs } = this.#parts;
    const everyMs = Math.min(sweepMs, leaseMs / 10);
    let sweptAt = -Infinity;
    while (!this.#over) {
      try {
        await store.beat(token);
        if (performance.now() - sweptAt >= everyMs || this.#parts.core.phase !== "running") {
          sweptAt = performance.now();
          await this.#sweep(everyMs);
        }
      } catch (error) {
        this.#break(error);
        return;
      }
      await delay(Math.min(beatMs, everyMs), undefined, { signal: this.#end.signal }).catch(() => undefined);
    }
  }

  async #sweep(everyMs: number): Promise<void> {
    const snapshot = await this.#parts.store.snapshot();
    const members = snapshot.engines.filter((engine) => engine.state === "member");
    if (members.length > 0) {
      this.#parts.core.onMembers({
        engines: members.length,
        slots: members.reduce((sum, engine) => sum + decodeEngineInfo(engine.info).slots, 0),
        claimed: members.reduce((sum, engine) => sum + engine.claims, 0),
      });
    }
    for (const engine of this.#leases.look(members, performance.now(), everyMs)) {
      await this.#expel(engine, "its lease ran out");
    }
  }

  async #expel(engine: Snapshot["engines"][number], why: string): Promise<void> {
    const { core, store, token, log } = this.#parts;
    const claims = await store.expel(token, engine.engine);
    log.warn({ engine: engine.engine, rank: engine.rank, why, claims: claims.length }, "engine lost");
    this.#note({
      kind: "lostEngine",
      at: new Date().toISOString(),
      engine: engine.engine,
      rank: engine.rank,
      why,
      tasks: claims,
    });
    core.onEngineLost(claims, Date.now());
    this.#onNews();
  }

  async #onContextGone(context: RunContext, message: string): Promise<void> {
    if (message !== "") {
      this.#parts.log.error({ context: context.id, message }, "context failed");
      this.#lastMessage = message;
    }
    try {
      const snapshot = await this.#parts.store.snapshot();
      for (const engine of snapshot.engines) {
        if (engine.context === context.id && engine.state === "member") await this.#expel(engine, message);
      }
    } catch (error) {
      this.#break(error);
    }
    this.#contextsLeft--;
    this.#receiverWake.ring();
  }

  /** Something failed that the run cannot do without: nothing more may start, and what runs cannot be recorded. */
  #break(error: unknown): void {
    if (this.#over) return;
    const { core, contexts, log, graceMs } = this.#parts;
    const message = error instanceof Error ? error.message : String(error);
    log.fatal({ err: error }, "the run cannot go on");
    const unexpected = !(error instanceof TaskmusterError);
    core.stop({ kind: "broken", message: unexpected ? `unexpected error: ${message}` : message });
    // What cannot be written is not acknowledged, so engines would wait for ever: they are told to go.
    if (error instanceof KvsLostError || error instanceof FencedError || unexpected) {
      for (const context of contexts) context.terminate();
    }
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
