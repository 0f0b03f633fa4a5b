import type { EngineId, Report } from "@taskmuster/kvs/protocol";
import type { Attempts } from "./attempts.js";
import type { PerEngineLines, ReceivedFrom, Stray } from "./driver-values.js";
import type { Failures } from "./failures.js";
import type { Outstanding } from "./outstanding.js";
import { isEnd } from "./report-end.js";
import type { Results } from "./results.js";
import { rowOfReport } from "./status-line/index.js";

export interface ReportsParts {
  readonly perEngine: PerEngineLines;
  readonly attempts: Attempts;
  readonly results: Results;
  readonly failures: Failures;
}

/**
 * Reports as engines number them, without gaps: a store that forgot is told again, and what was heard before is known by its number. What this
 * run never gave to anybody is put aside.
 */
export class Reports {
  readonly #perEngine: PerEngineLines;
  readonly #attempts: Attempts;
  readonly #results: Results;
  readonly #failures: Failures;
  readonly #last = new Map<EngineId, number>();
  readonly #perEngineReports = new Map<EngineId, number>();
  readonly #strays: Stray[] = [];

  constructor(parts: ReportsParts) {
    this.#perEngine = parts.perEngine;
    this.#attempts = parts.attempts;
    this.#results = parts.results;
    this.#failures = parts.failures;
  }

  receive(received: readonly ReceivedFrom[], now: number): void {
    const lost: Outstanding[] = [];
    for (const { engine, number, report } of received) {
      if (number <= (this.#last.get(engine) ?? 0)) continue;
      this.#last.set(engine, number);
      const isOurs =
        report.kind === "task"
          ? this.#attempts.onReport(report, lost)
          : this.#onPerEngine(engine, report, report.kind);
      if (!isOurs && this.#strays.length < mostStrays)
        this.#strays.push({ engine, what: `there is no ${report.kind} ${report.id}` });
    }
    if (lost.length > 0) this.#attempts.onLost(lost, true, now);
  }

  /** Of a task each: ends that this engine has told. */
  ofTasksBy(engine: EngineId): number {
    return (this.#last.get(engine) ?? 0) - (this.#perEngineReports.get(engine) ?? 0);
  }

  takeStrays(): readonly Stray[] {
    return this.#strays.splice(0);
  }

  /** False: there is no such command. */
  #onPerEngine(engine: EngineId, report: Report, kind: "start" | "stop"): boolean {
    this.#perEngineReports.set(engine, (this.#perEngineReports.get(engine) ?? 0) + 1);
    const command = this.#perEngine[kind][report.id];
    if (command === undefined) return false;
    if (!isEnd(report)) return true;
    const row = rowOfReport(report, { ...command, repeatIndex: -1 }, "perEngine");
    if (this.#results.perEngine(row, report.lastWords) && row.returnCode !== 0)
      this.#failures.onRow(row.id, row.line);
    return true;
  }
}

/** Only the first is told. */
const mostStrays = 100;
