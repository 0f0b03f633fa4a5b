export { auditFile } from "./audit-file.js";
export type { Audit, Damage, EarlierFile, LedgerOf, ListCheck, Verdict } from "./core/audit.js";
export type { RowFault } from "./core/audit-row.js";
export type { BegunAttempt, RunState } from "./core/begun.js";
export type { Repeat } from "./core/repeats.js";
export type { FinalRow, IdRange } from "./core/task-table.js";
