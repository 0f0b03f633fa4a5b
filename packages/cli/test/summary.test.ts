import { type EndReason, type FailedTask, reasonText } from "@taskmuster/driver";
import { describe, expect, it } from "vitest";
import { type SummaryInput, summaryJson, summaryLines } from "../src/summary.js";
import { view } from "./view.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function input(more: Partial<SummaryInput> = {}): SummaryInput {
  return {
    view: view({ done: 10, taskSeconds: 40, phase: "ended", reason: { kind: "finished" } }),
    total: 10,
    wallSeconds: 12.345,
    statusFile: "/a/x_status.txt",
    driverLog: "/a/x_driver.log",
    resume: null,
    ...more,
  };
}

function failure(more: Partial<FailedTask> = {}): FailedTask {
  return {
    id: 3,
    line: 4,
    returnCode: 1,
    timedOut: false,
    command: bytes("false"),
    lastWords: bytes(""),
    perEngine: false,
    ...more,
  };
}

const reasons: readonly EndReason[] = [
  { kind: "finished" },
  { kind: "drained", signal: "Ctrl-C" },
  { kind: "stopped", signal: "SIGTERM" },
  { kind: "failFast", id: 3, line: 4 },
  { kind: "barrierCheck", id: 3, line: 4 },
  { kind: "noEngines", message: "" },
  { kind: "badInput", message: "line 3: what is this" },
  { kind: "broken", message: "cannot write" },
];

describe("summaryLines", () => {
  it("of a run without trouble are five", () => {
    expect(summaryLines(input(), 80)).toEqual([
      "tasks        10 done",
      "wall time    12.3 s",
      "task time    40.0 s, speed-up 3.2 on 4 slots",
      "status file  /a/x_status.txt",
      "driver log   /a/x_driver.log",
    ]);
  });

  it("count all there is to count", () => {
    const counts = {
      retried: 6,
      done: 5,
      failed: 2,
      skipped: 3,
      skippedFailed: 1,
      perEngineFailed: 1,
      lost: 4,
    };
    expect(summaryLines(input({ view: view(counts) }), 80)[0]).toBe(
      "tasks        5 done, 2 failed, 3 skipped, 1 of them failed before, 1 PERENGINE command failed, " +
        "6 tried again, 4 lost with an engine, 2 not done",
    );
    expect(summaryLines(input({ view: view(counts), total: null }), 80)[0]).not.toContain("not done");
  });

  it("tell no speed-up where nothing ran", () => {
    expect(summaryLines(input({ view: view({ skipped: 10 }) }), 80)[2]).toBe("task time    0.0 s");
  });

  it("show failed tasks with line, end and last words, within the width", () => {
    const failures = [
      failure({ lastWords: bytes("Traceback\nValueError: \u001b[31mno\n") }),
      failure({
        line: 9,
        returnCode: -9,
        command: bytes("x".repeat(500)),
        lastWords: bytes("y".repeat(500)),
      }),
      failure({ line: 1, returnCode: 2, command: bytes("mount"), perEngine: true }),
    ];
    const lines = summaryLines(input({ view: view({ failed: 6, perEngineFailed: 1, failures }) }), 60);
    const shown = lines.slice(5);
    expect(shown.slice(0, 4)).toEqual([
      "",
      "failed: the first 3 of 7",
      "  line 4: exit 1  false",
      "      ValueError:  [31mno",
    ]);
    expect(shown[4]).toMatch(/^ {2}line 9: signal 9 \(KILL\) {2}x+…$/);
    expect(shown[5]).toMatch(/^ {6}…y+$/);
    expect(shown[6]).toBe("  PERENGINE, line 1: exit 2  mount");
    for (const line of shown) expect(line.length).toBeLessThanOrEqual(60);
    const all = summaryLines(input({ view: view({ failed: 2, perEngineFailed: 1, failures }) }), 60);
    expect(all).toContain("failed: 3");
  });

  it("say why a run ended early, and how to go on", () => {
    const ended = view({ reason: { kind: "drained", signal: "Ctrl-C" } });
    expect(summaryLines(input({ view: ended, resume: "driver -r x tasks" }), 80).slice(5)).toEqual(
      [
        "tasks        0 done, 10 not done",
        "Stopped early by Ctrl-C: what ran has ended, the rest was not started.",
        "To go on: driver -r x tasks",
      ].with(0, ""),
    );
  });
});

describe("reasonText", () => {
  it("has words for every reason but the good one", () => {
    expect(reasons.map((reason) => reasonText(reason))).toEqual([
      null,
      "Stopped early by Ctrl-C: what ran has ended, the rest was not started.",
      "Stopped by SIGTERM: what ran was stopped and has no row in the status file.",
      "Quitting early due to task failure with --fail-fast (line 4).",
      "Stopped at the BARRIER CHECK of line 4: a task before it failed.",
      "No engine is left, and none will come.",
      "line 3: what is this",
      "The run was broken off: cannot write",
    ]);
    expect(reasonText({ kind: "noEngines", message: "it died" })).toBe(
      "No engine is left, and none will come: it died",
    );
    expect(reasonText(null)).toBeNull();
  });
});

describe("summaryJson", () => {
  it("tells the same as one value", () => {
    const failures = [failure({ lastWords: Uint8Array.of(0x63, 0xff) })];
    const json = summaryJson(
      input({
        view: view({ done: 4, failed: 1, skipped: 2, taskSeconds: 1.23456, failures }),
        wallSeconds: 2,
      }),
    );
    expect(JSON.parse(JSON.stringify(json))).toEqual({
      reason: "finished",
      message: null,
      tasks: 10,
      done: 4,
      failed: 1,
      skipped: 2,
      unrecorded: 0,
      skippedFailed: 0,
      perEngineFailed: 0,
      retried: 0,
      lost: 0,
      left: 4,
      slots: 4,
      wallSeconds: 2,
      taskSeconds: 1.235,
      speedUp: 0.617,
      statusFile: "/a/x_status.txt",
      driverLog: "/a/x_driver.log",
      resume: null,
      failures: [
        {
          id: 3,
          line: 4,
          perEngine: false,
          returnCode: 1,
          timedOut: false,
          command: "false",
          lastWords: "c\ufffd",
        },
      ],
    });
  });

  it("counts what is not recorded as left to do", () => {
    const some = input({ view: view({ done: 8, unrecorded: 3, skipped: 1 }) });
    expect(summaryJson(some)).toMatchObject({ done: 8, unrecorded: 3, left: 4 });
    expect(summaryLines(some, 80)).toContain(
      "NOT RECORDED 3 tasks that ended: the status file could not be written. A resume runs them again",
    );
  });

  it("does not know what is left of a stream, and has no speed-up without time", () => {
    expect(summaryJson(input({ total: null, wallSeconds: 0 }))).toMatchObject({
      tasks: null,
      left: null,
      speedUp: 0,
    });
  });
});
