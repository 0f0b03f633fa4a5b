import type { AuditRow } from "../../src/core/audit/audit-row.js";
import { Audit, type AuditParts } from "../../src/core/audit/audit.js";
import { FileRows } from "../../src/core/audit/file-rows.js";
import { type LedgerSection, parseLedger } from "../../src/core/audit/ledger.js";
import { PastRuns } from "../../src/core/audit/past-runs.js";

/** Lines of a ledger. */
export function text(...entries: readonly object[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
}

export function runEntry(more: object = {}): object {
  return {
    kind: "run",
    version: 1,
    runId: "r",
    at: "2026-01-01T00:00:00.000Z",
    host: "vm",
    pid: 7,
    cwd: "/",
    taskFile: "tasks",
    resumedFrom: [],
    setAside: null,
    ...more,
  };
}

/** What a run wrote down of which every attempt that did not end is named. */
export function section(...entries: readonly object[]): LedgerSection {
  return sectionOf(runEntry({ version: 2 }), ...entries);
}

export function sectionOf(...entries: readonly object[]): LedgerSection {
  const found = parseLedger(text(...entries)).sections.at(-1);
  if (found === undefined) throw new Error("no entries");
  return found;
}

export function lost(...tasks: readonly { readonly id: number; readonly attempt: number }[]): object {
  return { kind: "lostEngine", at: "t", engine: "e", rank: 0, host: "vm", why: "killed", tasks };
}

export function ended(reason: string, more: object = {}): object {
  return { kind: "end", at: "t", reason, ...more };
}

/** A row of a task that went well. */
export function row(id: number, more: Partial<AuditRow> = {}): AuditRow {
  return {
    kind: "task",
    id,
    line: id + 1,
    pid: 100,
    returnCode: 0,
    elapsed: 1,
    start: 1000 + id,
    finish: 1001 + id,
    flagsAgree: true,
    identity: 0,
    ...more,
  };
}

export function fileRows(rows: readonly AuditRow[]): FileRows {
  const file = new FileRows();
  for (const [index, each] of rows.entries()) file.addRow(each, index + 1);
  return file;
}

/** Of a run that has ended, unless said otherwise. */
export function auditOf(rows: FileRows, more: Partial<AuditParts> = {}): Audit {
  return new Audit({
    file: { path: "/x/run_status.txt", bytes: 1 },
    rows,
    ledger: { path: "/x/run_ledger", found: "read", why: "", badLines: [] },
    section: section(ended("finished")),
    state: "ended",
    past: new PastRuns(),
    earlier: [],
    list: null,
    ...more,
  });
}
