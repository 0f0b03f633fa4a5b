import { describe, expect, it } from "vitest";
import {
  alice,
  bob,
  cancelled,
  DriverRig,
  skip,
  earlierRow,
  failure,
  lost,
  perEngineLine,
  success,
} from "./driver-rig.js";

describe("a barrier", () => {
  it("lets nothing past before all before it has ended, then gets its row", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.barrier();
    expect(rig.core.wantsItems).toBe(false);
    expect(rig.core.view.atBarrier).toBe(2);
    expect(rig.look()).toEqual(["publish back 0 1"]);
    rig.report(alice, 1);
    expect(rig.look()).toEqual(["row task 1 0"]);
    rig.now += 5000;
    rig.report(alice, 0);
    expect(rig.look()).toEqual(["row task 0 0", "row barrier 2 0"]);
    expect(rig.core.view.atBarrier).toBeNull();
    expect(rig.core.wantsItems).toBe(true);
    expect(rig.rows[2]).toMatchObject({
      line: 3,
      node: "login",
      pid: 42,
      start: 1000,
      finish: 1005,
      elapsed: 5,
      outSnippet: "''",
      errSnippet: "''",
    });
  });

  it("is passed at once when nothing runs, also several in a row and at the very end", () => {
    const rig = new DriverRig();
    rig.barrier();
    rig.barrier();
    rig.end();
    expect(rig.look()).toEqual(["order drain", "row barrier 0 0", "row barrier 1 0"]);
    expect(rig.reason).toBe("finished");
  });

  it("waits for a task that was lost and is offered again", () => {
    const rig = new DriverRig();
    rig.task();
    rig.barrier();
    rig.look();
    rig.lose([0, 1]);
    expect(rig.look()).toEqual(["publish front 0.2"]);
    rig.report(bob, 0, success, { attempt: 2 });
    expect(rig.look()).toEqual(["row task 0 0", "row barrier 1 0"]);
  });

  it("leaves its id under its key, when it has one", () => {
    const rig = new DriverRig();
    rig.barrier(false, "k a");
    rig.barrier(true, "k");
    expect(rig.look()).toEqual(["row barrier 0 0", "row checkBarrier 1 0", "post k a 0", "post k 1"]);
  });

  it("with CHECK ends the run when a task before it failed: its row, no key, stop", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.barrier(true, "k");
    rig.report(alice, 0, failure);
    rig.look();
    rig.report(alice, 1);
    expect(rig.look()).toEqual(["order stop", "row task 1 0", "row checkBarrier 2 0"]);
    expect(rig.core.reason).toEqual({ kind: "barrierCheck", id: 2, line: 3 });
    expect(rig.core.wantsItems).toBe(false);
  });

  it("forgives what failed before the last barrier", () => {
    const rig = new DriverRig();
    rig.task();
    rig.report(alice, 0, failure);
    rig.barrier();
    rig.task();
    rig.report(alice, 2);
    rig.barrier(true);
    rig.barrier(true);
    rig.look();
    expect(rig.reason).toBe("none");
    expect(rig.rows.map((row) => row.kind)).toEqual([
      "task",
      "barrier",
      "task",
      "checkBarrier",
      "checkBarrier",
    ]);
  });

  it("with CHECK counts failed PERENGINE commands and tasks that failed in the run that is resumed", () => {
    const first = new DriverRig({}, { start: [perEngineLine(1, "x")], stop: [] });
    first.report(alice, 0, failure, { kind: "start" });
    first.barrier(true);
    expect(first.look()).toEqual(["order stop", "row perEngine 0 1", "row checkBarrier 0 0"]);
    const second = new DriverRig();
    skip(second.core, earlierRow(0, 3));
    second.barrier(true);
    expect(second.reason).toBe("barrierCheck");
  });

  it("with CHECK does not count a task that was only cancelled or lost and then succeeded", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.barrier(true);
    rig.report(alice, 0, lost);
    rig.report(alice, 1, cancelled);
    rig.report(bob, 0, success, { attempt: 2 });
    rig.report(bob, 1, success, { attempt: 2 });
    rig.look();
    expect([rig.rows.at(-1)?.kind, rig.reason]).toEqual(["checkBarrier", "none"]);
  });
});

describe("--fail-fast", () => {
  it("stops at the first failure, and still records what ended with it", () => {
    const rig = new DriverRig({ failFast: true });
    rig.tasks(3);
    rig.look();
    rig.report(alice, 1, failure);
    rig.report(alice, 0, failure);
    expect(rig.look()).toEqual(["order stop", "row task 1 1", "row task 0 1"]);
    expect(rig.core.reason).toEqual({ kind: "failFast", id: 1, line: 2 });
    rig.report(bob, 2, cancelled);
    expect(rig.look()).toEqual([]);
    expect(rig.core.view).toMatchObject({ done: 2, failed: 2, phase: "stopping" });
  });

  it("stops at a failed START command, and at a task that failed in the run that is resumed", () => {
    const first = new DriverRig({ failFast: true }, { start: [perEngineLine(1, "x")], stop: [] });
    first.task();
    first.report(alice, 0, failure, { kind: "start" });
    expect(first.look()).toEqual(["order stop", "row perEngine 0 1"]);
    const second = new DriverRig({ failFast: true });
    skip(second.core, earlierRow(0, 3));
    expect(second.reason).toBe("failFast");
  });
});
