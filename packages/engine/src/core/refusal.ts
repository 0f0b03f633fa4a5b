import type { Outcome } from "@taskmuster/kvs/protocol";

/** By errno, what a node is out of that refuses to start a task with it. As Linux counts; the second numbers are macOS's. */
const causes: ReadonlyMap<number, string> = new Map([
  [11, "processes"],
  [35, "processes"],
  [12, "memory"],
  [23, "open files"],
  [24, "open files"],
  [28, "room on a disk"],
  [122, "room on a disk (quota)"],
  [69, "room on a disk (quota)"],
  [105, "buffers"],
  [55, "buffers"],
  [5, "a disk that works (input/output error)"],
  [30, "a disk that can be written to"],
]);

/**
 * What the node is out of, when that, and not the task, is why it was not started; null otherwise. Such a task has not
 * begun: it can be started later, or elsewhere.
 */
export function refusalOf(outcome: Outcome): string | null {
  return outcome.kind === "failedToStart" ? (causes.get(outcome.errno) ?? null) : null;
}
