import { taskId } from "@taskmuster/kvs/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { Barriers } from "../../src/core/barriers.js";
import { Failures } from "../../src/core/failures.js";
import { Results } from "../../src/core/results.js";
import { RunCourse } from "../../src/core/run-course.js";
import { statusRows } from "../../src/core/status-line/index.js";
import type { BarrierItem } from "../../src/core/task-file/index.js";
import { row } from "../rows.js";

let course: RunCourse;
let results: Results;
let failures: Failures;
let barriers: Barriers;

beforeEach(() => begin());

function begin(failFast = false): void {
  course = new RunCourse(() => undefined);
  results = new Results({ node: "login", pid: 42 });
  failures = new Failures(course, failFast);
  barriers = new Barriers({ results, failures, course });
}

function barrier(id: number, check = false, key: string | null = null): BarrierItem {
  return {
    kind: "barrier",
    id: taskId(id),
    line: id + 1,
    check,
    key,
    text: Buffer.from("#DISBATCH BARRIER"),
  };
}

const rows = (): readonly string[] =>
  [...statusRows(results.takeRows())].map(({ kind, id }) => `${kind} ${id}`);

describe("barriers", () => {
  it("are passed when they have been reached, with a row that tells since when it waited", () => {
    expect([barriers.pass(1000), barriers.reached]).toEqual([false, null]);
    barriers.reach(barrier(3), 2000);
    expect(barriers.reached?.id).toBe(3);
    expect([barriers.pass(5000), barriers.reached, barriers.pass(5000)]).toEqual([true, null, false]);
    const written = [...statusRows(results.takeRows())];
    expect(written).toMatchObject([{ kind: "barrier", id: 3, node: "login", pid: 42, start: 2, finish: 5 }]);
  });

  it("tell their id under their key, unless they stop the run", () => {
    for (const [id, check] of [true, false].entries()) {
      barriers.reach(barrier(id, check, `key ${id}`), 0);
      barriers.pass(0);
    }
    failures.onRow(2, 3);
    barriers.reach(barrier(4, true, "failed"), 0);
    barriers.pass(0);
    expect([barriers.takePosts(), barriers.takePosts()]).toEqual([
      [
        { key: "key 0", value: "0" },
        { key: "key 1", value: "1" },
      ],
      [],
    ]);
    expect([rows(), course.reason]).toEqual([
      ["checkBarrier 0", "barrier 1", "checkBarrier 4"],
      { kind: "barrierCheck", id: 4, line: 5 },
    ]);
  });

  it("let rest what failed before the one before", () => {
    failures.onTask(0, 1);
    for (const [id, check] of [false, true].entries()) {
      barriers.reach(barrier(id + 1, check), 0);
      barriers.pass(0);
    }
    expect(course.isRunning).toBe(true);
  });

  it("of a driver before stop the run where they had failed, and let rest what failed before them", () => {
    failures.onRow(0, 1);
    barriers.onPastRow(row(1, { kind: "barrier" }));
    barriers.onPastRow(row(2, { kind: "checkBarrier" }));
    expect(course.isRunning).toBe(true);
    failures.onRow(3, 4);
    barriers.onPastRow(row(4, { kind: "checkBarrier", line: 5 }));
    expect(course.reason).toEqual({ kind: "barrierCheck", id: 4, line: 5 });
  });

  it("of a driver before get the row that they lack, once, and keep what failed after them", () => {
    failures.onTask(5, 6);
    failures.onTask(1, 2);
    for (const id of [3, 3, 6]) barriers.onPast(barrier(id), 1000);
    expect(rows()).toEqual(["barrier 3", "barrier 6"]);
    expect(failures.takeSinceBarrier()).toBe(false);
    barriers.onPast(barrier(4), 1000);
    expect([failures.takeSinceBarrier(), failures.takeSinceBarrier()]).toEqual([true, false]);
  });
});

describe("failures", () => {
  it("end a run that is to fail fast, and no other", () => {
    failures.onTask(0, 1);
    expect(course.isRunning).toBe(true);
    begin(true);
    failures.onTask(0, 1);
    failures.onRow(1, 2);
    expect(course.reason).toEqual({ kind: "failFast", id: 0, line: 1 });
  });
});
