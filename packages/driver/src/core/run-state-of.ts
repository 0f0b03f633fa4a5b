import { type RunState, protocolVersion } from "@taskmuster/kvs/protocol";
import { reasonText } from "./end-reason.js";
import type { RunView } from "./run-view.js";

/** What does not change while a run goes on. */
export type RunFacts = Pick<RunState, "name" | "prefix" | "host" | "pid" | "startedAt" | "total" | "serves">;

/** What monitors are told; `drained`: why the driver told engines to leave, `now` in ms since 1970. */
export function runStateOf(
  facts: RunFacts,
  view: RunView,
  drained: ReadonlyMap<string, string>,
  now: number,
): RunState {
  return {
    version: protocolVersion,
    ...facts,
    now,
    done: view.done,
    failed: view.failed,
    skipped: view.skipped,
    skippedFailed: view.skippedFailed,
    outstanding: view.outstanding,
    lost: view.lost,
    retried: view.retried,
    perEngineFailed: view.perEngineFailed,
    taskSeconds: view.taskSeconds,
    atBarrier: view.atBarrier,
    phase: view.phase,
    reason: reasonText(view.reason) ?? "",
    held: view.held ?? "",
    failures: [...view.recentFailures],
    drained: [...drained].map(([engine, why]) => ({ engine, why })),
  };
}
