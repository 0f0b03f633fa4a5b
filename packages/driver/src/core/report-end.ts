import type { Report } from "@taskmuster/kvs/protocol";

/** Whether the report tells how the task itself ended. */
export function isEnd(report: Report): boolean {
  return report.outcome.kind !== "cancelled" && report.outcome.kind !== "lost";
}
