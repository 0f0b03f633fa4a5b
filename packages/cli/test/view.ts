import type { RunView } from "@taskmuster/driver";

/** A run that has just begun, but for what is given. */
export function view(more: Partial<RunView> = {}): RunView {
  return {
    done: 0,
    failed: 0,
    skipped: 0,
    skippedFailed: 0,
    outstanding: 0,
    running: 0,
    slots: 4,
    peakSlots: 4,
    engines: 1,
    lost: 0,
    retried: 0,
    perEngineFailed: 0,
    taskSeconds: 0,
    unrecorded: 0,
    atBarrier: null,
    held: null,
    phase: "running",
    reason: null,
    failures: [],
    recentFailures: [],
    ...more,
  };
}
