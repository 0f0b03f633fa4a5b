export { auditFile } from "./audit-file.js";
export type { Audit, Damage, EarlierFile, LedgerOf, ListCheck, Verdict } from "../core/audit/audit.js";
export type { RowFault } from "../core/audit/audit-row.js";
export type { BegunAttempt, RunState } from "../core/audit/begun.js";
export type { Repeat } from "../core/audit/repeats.js";
export type { FinalRow, IdRange } from "../core/audit/task-table.js";
