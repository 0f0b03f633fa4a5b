import type { Audit } from "@taskmuster/driver/audit";

/** Exit statuses of `dbutil audit`; where several hold, the highest counts. 1 and 2 are those of any command that could not do its work. */
const auditExit = { fine: 0, unfinished: 3, repeated: 4, damaged: 5 } as const;

export function auditExitOf({ verdict }: Audit): number {
  if (verdict.damaged) return auditExit.damaged;
  if (verdict.repeated) return auditExit.repeated;
  return verdict.unfinished ? auditExit.unfinished : auditExit.fine;
}
