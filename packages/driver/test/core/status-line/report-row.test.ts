import { type Outcome, type Report, attempt, taskId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { formatRow, returnCodeOf, rowOfReport } from "../../../src/core/status-line/index.js";

const command = Buffer.from("echo a");

function report(changes: Partial<Report> = {}): Report {
  return {
    kind: "task",
    id: taskId(3),
    attempt: attempt(1),
    host: "vm",
    pid: 4697,
    outcome: { kind: "exited", code: 0 },
    start: 1795206508.0681,
    end: 1795206508.0749,
    elapsed: 0.0072,
    out: { bytes: 2, snippet: Buffer.from("a\n") },
    err: { bytes: 0, snippet: Buffer.alloc(0) },
    lastWords: Buffer.alloc(0),
    ...changes,
  };
}

describe("returnCodeOf", () => {
  it.each<[Outcome, number]>([
    [{ kind: "exited", code: 5 }, 5],
    [{ kind: "signalled", signal: 9 }, -9],
    [{ kind: "failedToStart", errno: 7 }, 7],
    [{ kind: "lost" }, -100],
    [{ kind: "cancelled" }, -100],
  ])("of %j is %i", (outcome, code) => {
    expect(returnCodeOf(outcome)).toBe(code);
  });
});

describe("rowOfReport", () => {
  it("joins what the engine and the driver know, with the engine's own elapsed time", () => {
    const row = rowOfReport(report(), { line: 4, repeatIndex: 7, command }, "task");
    expect(formatRow(row).toString()).toBe(
      " O  \t3\t4\t7\tvm\t4697\t0\t0.007\t1795206508.068\t1795206508.075\t2\t'a\\n'\t0\t''\techo a\n",
    );
  });

  it("gives a task that could not be started PID -1, its error number, no output and the whole error", () => {
    const error = `Argument list too long: ${"x".repeat(500)}\n`;
    const failed = report({
      pid: 99,
      outcome: { kind: "failedToStart", errno: 7 },
      err: { bytes: error.length, snippet: Buffer.from(error) },
    });
    const row = rowOfReport(failed, { line: 4, repeatIndex: -1, command }, "task");
    expect(row).toMatchObject({
      pid: -1,
      returnCode: 7,
      outBytes: 0,
      outSnippet: "''",
      errBytes: error.length,
    });
    expect(row.errSnippet).toBe(`'${error.trimEnd()}\\n'`);
  });

  it("gives a task that timed out what it wrote, the signal, and a kind of its own unless it came late", () => {
    const out = { bytes: 2, snippet: Buffer.from("a\n") };
    const failed = report({ pid: 99, outcome: { kind: "timedOut", signal: 15 }, out });
    const task = { line: 4, repeatIndex: -1, command };
    const row = rowOfReport(failed, task, "task");
    expect(row).toMatchObject({
      kind: "timedOut",
      pid: 99,
      returnCode: -15,
      outBytes: 2,
      outSnippet: "'a\\n'",
    });
    expect(rowOfReport(failed, task, "zombie")).toMatchObject({ kind: "zombie", returnCode: -15 });
  });

  it("gives a lost attempt PID -1 and -100, like disBatch's heart beat failure", () => {
    const row = rowOfReport(
      report({ outcome: { kind: "lost" } }),
      { line: 4, repeatIndex: -1, command },
      "zombie",
    );
    expect(row).toMatchObject({ kind: "zombie", pid: -1, returnCode: -100, outBytes: 0, outSnippet: "''" });
  });
});
