import { beforeEach, describe, expect, it } from "vitest";
import { RunCourse } from "../../src/core/run-course.js";

let ends = 0;
let course: RunCourse;

beforeEach(() => {
  ends = 0;
  course = new RunCourse(() => ends++);
});

function state(): readonly unknown[] {
  return [course.phase, course.reason?.kind ?? null, course.takeOrder()];
}

describe("the course of a run", () => {
  it("goes on until it is told to end", () => {
    expect([...state(), course.isRunning, ends]).toEqual(["running", null, null, true, 0]);
  });

  it("drains at the end of its list, and is over when nobody is left", () => {
    course.finish();
    expect([...state(), course.isRunning, ends]).toEqual(["draining", "finished", "drain", false, 1]);
    expect(course.takeOrder()).toBeNull();
    course.onNobodyLeft();
    expect(state()).toEqual(["ended", "finished", null]);
  });

  it("is drained once, and may be stopped then", () => {
    course.drain("INT");
    course.drain("TERM");
    expect(course.reason).toEqual({ kind: "drained", signal: "INT" });
    expect(course.takeOrder()).toBe("drain");
    course.stop({ kind: "failFast", id: 1, line: 2 });
    expect([...state(), ends]).toEqual(["stopping", "failFast", "stop", 2]);
    course.drain("INT");
    expect(state()).toEqual(["stopping", "failFast", null]);
  });

  it("keeps its first reason to stop", () => {
    course.stop({ kind: "failFast", id: 1, line: 2 });
    course.stop({ kind: "stopped", signal: "INT" });
    course.noEngines("none");
    course.onNobodyLeft();
    expect(state()).toEqual(["ended", "failFast", "stop"]);
    course.stop({ kind: "stopped", signal: "INT" });
    expect(state()).toEqual(["ended", "failFast", null]);
  });

  it("ends for want of engines only while it runs", () => {
    course.noEngines("none came");
    expect(course.reason).toEqual({ kind: "noEngines", message: "none came" });
    expect(state()).toEqual(["stopping", "noEngines", "stop"]);
  });

  it("tells of a bad line at whatever end it comes to, but for a stop", () => {
    for (const [end, phase] of [
      [() => course.finish(), "draining"],
      [() => course.noEngines(""), "stopping"],
    ] as const) {
      course = new RunCourse(() => ends++);
      course.onBadInput("line 3");
      course.onBadInput("line 4");
      expect(course.isRunning).toBe(true);
      end();
      expect([course.phase, course.reason]).toEqual([phase, { kind: "badInput", message: "line 3" }]);
    }
    course = new RunCourse(() => ends++);
    course.onBadInput("line 3");
    course.stop({ kind: "stopped", signal: "INT" });
    expect(course.reason?.kind).toBe("stopped");
  });
});
