import {
  type EngineId,
  type Outcome,
  type Report,
  type ReportKind,
  type Task,
  attempt,
  decodeTask,
  engineId,
  needsKey,
  taskId,
} from "@taskmuster/kvs/protocol";
import {
  DriverCore,
  type DriverCoreOptions,
  type PerEngineLines,
  type Withdrawal,
} from "../../src/core/driver-core.js";
import type { FailedAttempt } from "../../src/core/ledger-entry.js";
import type { TaskRules } from "../../src/core/task-policy.js";
import { type StatusRow, formatRow, statusRows } from "../../src/core/status-line/index.js";

export const [alice, bob] = [engineId("engine0a"), engineId("engine0b")];

export const success: Outcome = { kind: "exited", code: 0 };
export const failure: Outcome = { kind: "exited", code: 1 };
export const cancelled: Outcome = { kind: "cancelled" };
export const lost: Outcome = { kind: "lost" };

/** The driver's core, and what it asks for as lines of text. */
export class DriverRig {
  readonly core: DriverCore;
  readonly rows: StatusRow[] = [];
  /** What `look` saw, to be answered. */
  readonly withdrawals: Withdrawal[] = [];
  now = 1_000_000;
  /** Of engines that are lost. */
  slots = Infinity;
  readonly #retries: boolean;
  #nextId = 0;
  #nextLine = 1;
  readonly #reported = new Map<EngineId, number>();

  constructor(options: Partial<DriverCoreOptions> = {}, perEngine: PerEngineLines = { start: [], stop: [] }) {
    const needs = needsKey({ cores: 1 });
    this.#retries = options.policy !== undefined;
    this.core = new DriverCore(
      { needs, failFast: false, maxLosses: 2, node: "login", pid: 42, ...options },
      perEngine,
    );
  }

  /** The next line of the list is a task. */
  task(command = `task ${this.#nextId}`, rules?: TaskRules): void {
    const id = taskId(this.#nextId++);
    this.core.onTask({
      kind: "task",
      id,
      line: this.#nextLine++,
      repeatIndex: -1,
      rules,
      command: Buffer.from(command),
    });
  }

  tasks(count: number): void {
    for (let i = 0; i < count; i++) this.task();
  }

  barrier(check = false, key: string | null = null): void {
    const id = taskId(this.#nextId++);
    const text = Buffer.from("#DISBATCH BARRIER");
    this.core.onBarrier({ kind: "barrier", id, line: this.#nextLine++, check, key, text }, this.now);
  }

  end(): void {
    this.core.onEndOfItems(this.now);
  }

  /** One report, with the engine's next number (or `number`). */
  report(
    engine: EngineId,
    id: number,
    outcome: Outcome = success,
    more: { readonly attempt?: number; readonly kind?: ReportKind; readonly number?: number } = {},
  ): void {
    const number = more.number ?? (this.#reported.get(engine) ?? 0) + 1;
    this.#reported.set(engine, number);
    this.core.onReports(
      [{ engine, number, report: report(id, outcome, more.attempt ?? 1, more.kind ?? "task") }],
      this.now,
    );
  }

  lose(...claims: readonly (readonly [id: number, attempt: number])[]): void {
    this.core.onEngineLost(
      claims.map(([id, tries]) => ({ id: taskId(id), attempt: attempt(tries) })),
      this.now,
      this.slots,
    );
  }

  /** Everything that the core asks for, and nothing else: orders, publishes, rows, failures, posts, withdrawals. */
  look(): readonly string[] {
    const lines: string[] = [];
    const order = this.core.takeOrder();
    if (order !== null) lines.push(`order ${order}`);
    for (;;) {
      const publish = this.core.takePublish(1000, 1_000_000);
      if (publish === null) break;
      lines.push(
        `publish ${publish.where} ${publish.tasks.map((task) => shown(decodeTask(task.body))).join(" ")}`,
      );
    }
    for (const withdrawal of this.core.takeWithdrawals()) {
      this.withdrawals.push(withdrawal);
      lines.push(`withdraw ${numbered(withdrawal.task)}`);
    }
    const rows = [...statusRows(this.core.takeRows())];
    this.rows.push(...rows);
    for (const row of rows) lines.push(`row ${row.kind} ${row.id} ${row.returnCode}`);
    for (const failed of this.#failures()) lines.push(`failed ${numbered(failed)} ${failed.returnCode}`);
    for (const { key, value } of this.core.takePosts()) lines.push(`post ${key} ${value}`);
    return lines;
  }

  /** Only where there are retries: other exceptions are looked at by who wants to see them. */
  #failures(): readonly FailedAttempt[] {
    if (!this.#retries) return [];
    return this.core.takeExceptions().flatMap((each) => (each.kind === "retries" ? each.tasks : []));
  }

  get reason(): string {
    return this.core.reason?.kind ?? "none";
  }
}

/** Skips a task that an earlier run has done, as a resume does. */
export function skip(core: DriverCore, row: StatusRow): void {
  core.onSkipped(row.id, row.line, row.returnCode);
  core.onCopied({ kind: "copied", lines: formatRow({ ...row, kind: "skipped" }), release: () => undefined });
}

/** The row of a task that ended so in an earlier run. */
export function earlierRow(id: number, returnCode: number): StatusRow {
  const rig = new DriverRig();
  rig.tasks(id + 1);
  rig.report(alice, id, { kind: "exited", code: returnCode });
  rig.look();
  const row = rig.rows[0];
  if (row === undefined) throw new Error("no row");
  return row;
}

/** A line of a PERENGINE block. */
export function perEngineLine(line: number, text: string): PerEngineLines["start"][number] {
  return { line, command: Buffer.from(text) };
}

export function report(id: number, outcome: Outcome, tries: number, kind: ReportKind): Report {
  const nothing = { bytes: 0, snippet: new Uint8Array(0) };
  return {
    kind,
    id: taskId(id),
    attempt: attempt(tries),
    host: "vm",
    pid: 1000 + id,
    outcome,
    start: 1,
    end: 2,
    elapsed: 1,
    out: nothing,
    err: nothing,
    lastWords: Buffer.from(outcome.kind === "exited" && outcome.code === 0 ? "" : "oh no"),
  };
}

function shown(task: Task): string {
  return numbered(task) + (task.timeoutMs === null ? "" : ` (${task.timeoutMs} ms)`);
}

function numbered(task: { readonly id: number; readonly attempt: number }): string {
  return task.attempt === 1 ? String(task.id) : `${task.id}.${task.attempt}`;
}
