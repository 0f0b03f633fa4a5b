import type { EndReason } from "@taskmuster/driver";
import { KvsError, TaskmusterError } from "@taskmuster/kvs";
import { describe, expect, it } from "vitest";
import { exitCodeOf, exitCodeOfError } from "../src/exit-codes.js";
import { UsageError } from "../src/usage-error.js";
import { view } from "./view.js";

const without = { exitCode: false };
const withE = { exitCode: true };

describe("exitCodeOf", () => {
  it("is 0 when the list was worked through, failed tasks or not", () => {
    for (const reason of [{ kind: "finished" } as const, null]) {
      expect(exitCodeOf(view({ reason }), without)).toBe(0);
      expect(exitCodeOf(view({ reason, failed: 3, perEngineFailed: 1, skippedFailed: 1 }), without)).toBe(0);
      expect(exitCodeOf(view({ reason, done: 3 }), withE)).toBe(0);
    }
  });

  it("is 1 with -e for any failure: a task, a PERENGINE command, a failed task that was skipped", () => {
    for (const failed of [{ failed: 1 }, { perEngineFailed: 1 }, { skippedFailed: 1 }]) {
      expect(exitCodeOf(view({ reason: { kind: "finished" }, ...failed }), withE)).toBe(1);
    }
  });

  it("is 1 for every early end but that by a signal, with and without -e", () => {
    const reasons: readonly EndReason[] = [
      { kind: "failFast", id: 0, line: 1 },
      { kind: "barrierCheck", id: 0, line: 1 },
      { kind: "noEngines", message: "" },
      { kind: "badInput", message: "" },
      { kind: "broken", message: "" },
    ];
    for (const reason of reasons) {
      expect([exitCodeOf(view({ reason }), without), exitCodeOf(view({ reason }), withE)]).toEqual([1, 1]);
    }
  });

  it("is that of the signal that ended the run", () => {
    expect(exitCodeOf(view({ reason: { kind: "drained", signal: "Ctrl-C" } }), without)).toBe(130);
    expect(exitCodeOf(view({ reason: { kind: "stopped", signal: "Ctrl-C" } }), without)).toBe(130);
    expect(exitCodeOf(view({ reason: { kind: "stopped", signal: "SIGTERM" } }), withE)).toBe(143);
    expect(exitCodeOf(view({ reason: { kind: "stopped", signal: "SIGHUP" } }), withE)).toBe(129);
  });
});

describe("exitCodeOfError", () => {
  it("is 2 for a command line that is wrong, 1 for everything else that keeps a run from beginning", () => {
    expect(exitCodeOfError(new UsageError("x"))).toBe(2);
    expect(exitCodeOfError(new TaskmusterError("E_USAGE", "x"))).toBe(2);
    for (const error of [
      new KvsError("x"),
      new TaskmusterError("E_TASK_FILE", "x"),
      new Error("x"),
      "x",
      null,
    ]) {
      expect(exitCodeOfError(error)).toBe(1);
    }
  });
});
