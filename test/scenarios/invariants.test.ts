import { describe, expect, it } from "vitest";
import { row } from "../../packages/driver/test/rows.js";
import { report, success } from "../../packages/driver/test/core/driver-rig.js";
import { Invariants } from "./invariants.js";

describe("the guards of the scenarios fire", () => {
  it("on two attempts of one task at the same time", () => {
    const guards = new Invariants([]);
    guards.onLaunch("a", 1, 3);
    expect(() => guards.onLaunch("b", 1, 3)).toThrow(
      "two attempts of task 3 run at the same time, on a and b",
    );
    guards.onDeath("a");
    guards.onLaunch("b", 1, 3);
    guards.onEnd("b", 3);
  });

  it("on more tasks than slots, and on an end of what does not run", () => {
    const guards = new Invariants([]);
    guards.onLaunch("a", 1, 3);
    expect(() => guards.onLaunch("a", 1, 4)).toThrow("a runs 2 tasks in 1 slots");
    expect(() => guards.onEnd("a", 9)).toThrow("which it does not run");
  });

  it("on a task that starts before a barrier in front of it is passed", () => {
    const guards = new Invariants([1]);
    expect(() => guards.onLaunch("a", 1, 2)).toThrow("although barrier 1 has not been passed");
    guards.onRow(row(0));
    guards.onRow(row(1, { kind: "barrier" }));
    guards.onDeath("a");
    guards.onLaunch("a", 1, 2);
  });

  it("on a barrier that is passed too early, and on a second final row", () => {
    const guards = new Invariants([1]);
    expect(() => guards.onRow(row(1, { kind: "checkBarrier" }))).toThrow(
      "barrier 1 is passed before task 0 has ended",
    );
    guards.onRow(row(0));
    guards.onRow(row(0, { kind: "zombie" }));
    expect(() => guards.onRow(row(0))).toThrow("task 0 has a second final row");
    expect(() => guards.assertComplete(2)).toThrow("task 1 has no final row");
  });

  it("on an acknowledgement of what is not on disk", () => {
    const guards = new Invariants([]);
    guards.onAcknowledge(report(0, { kind: "cancelled" }, 1, "task"));
    guards.onAcknowledge(report(0, success, 1, "start"));
    expect(() => guards.onAcknowledge(report(0, success, 1, "task"))).toThrow(
      "the end of task 0 is acknowledged",
    );
  });
});
