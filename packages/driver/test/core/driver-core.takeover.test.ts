import { attempt, taskId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import type { Inherited } from "../../src/core/inheritance.js";
import { row } from "../rows.js";
import { DriverRig, alice, bob, failure, lost, perEngineLine, success } from "./driver-rig.js";

const item = (id: number) => ({
  kind: "task" as const,
  id: taskId(id),
  line: id + 1,
  repeatIndex: -1,
  command: Buffer.from(`task ${id}`),
});
const barrier = (id: number, check = false) => ({
  kind: "barrier" as const,
  id: taskId(id),
  line: id + 1,
  check,
  key: null,
  text: Buffer.from("#DISBATCH BARRIER"),
});
const inherited = (tried: number, held: boolean): Inherited => ({
  attempt: attempt(tried),
  losses: tried - 1,
  failed: [],
  held,
});

describe("a driver's core that takes a run over", () => {
  it("publishes what nobody has, waits for what engines have, and knows what has ended", () => {
    const rig = new DriverRig();
    rig.core.past.onRow(row(0), false);
    rig.core.onTask(item(1), inherited(1, true));
    expect([0, 1, 2].map((id) => rig.core.past.isKnown(id))).toEqual([true, true, false]);
    rig.core.onTask(item(2), null);
    rig.core.onTask(item(3), inherited(2, false));
    expect(rig.look()).toEqual(["publish back 2 3.2"]);
    rig.end();
    rig.report(alice, 1);
    rig.report(alice, 2);
    expect(rig.look()).toEqual(["row task 1 0", "row task 2 0"]);
    rig.report(bob, 3, success, { attempt: 2 });
    expect(rig.look()).toEqual(["order drain", "row task 3 0"]);
    expect(rig.core.view).toMatchObject({ done: 4, failed: 0, outstanding: 0 });
  });

  it("counts the rows of before, and stops at once where they say so", () => {
    const rig = new DriverRig();
    rig.core.past.onRow(row(0, { returnCode: 1 }), false);
    rig.core.past.onRow(row(1, { kind: "skipped" }), false);
    rig.core.past.onRow(row(2), false);
    expect(rig.core.view).toMatchObject({ done: 2, failed: 1, skipped: 1, taskSeconds: 3, phase: "running" });
    const fast = new DriverRig({ failFast: true });
    fast.core.past.onRow(row(0, { returnCode: 1 }), false);
    expect([fast.reason, fast.look()]).toEqual(["failFast", ["order stop"]]);
  });

  it("stops at a BARRIER CHECK whose row is there and that had failed", () => {
    const rig = new DriverRig();
    rig.core.past.onRow(row(0, { returnCode: 1 }), false);
    rig.core.past.onRow(row(1, { kind: "checkBarrier" }), false);
    expect(rig.reason).toBe("barrierCheck");
    const passed = new DriverRig();
    passed.core.past.onRow(row(0, { returnCode: 1 }), false);
    passed.core.past.onRow(row(1, { kind: "barrier" }), false);
    passed.core.past.onRow(row(2), false);
    passed.core.past.onRow(row(3, { kind: "checkBarrier" }), false);
    expect(passed.reason).toBe("none");
  });

  it("writes the row of a barrier that was passed and had none, and holds nothing back for it", () => {
    const rig = new DriverRig();
    rig.core.past.onRow(row(0), false);
    rig.core.onTask(item(1), inherited(1, true));
    rig.core.onTask(item(3), inherited(1, true));
    rig.core.past.onBarrier(barrier(2), rig.now);
    rig.core.past.onBarrier(barrier(2), rig.now);
    expect(rig.look()).toEqual(["row barrier 2 0"]);
    expect(rig.core.wantsItems).toBe(true);
  });

  it("does not hold a failure after such a barrier against it, but against the next one", () => {
    const rig = new DriverRig();
    for (const id of [0, 2]) rig.core.onTask(item(id), inherited(1, true));
    rig.report(alice, 2, failure);
    rig.report(alice, 0);
    rig.core.past.onBarrier(barrier(1, true), rig.now);
    expect(rig.reason).toBe("none");
    rig.core.onBarrier(barrier(3, true), rig.now);
    expect(rig.reason).toBe("barrierCheck");
  });

  it("lets the failures before such a barrier rest", () => {
    const rig = new DriverRig();
    for (const id of [0, 2]) rig.core.onTask(item(id), inherited(1, true));
    rig.report(alice, 0, failure);
    rig.report(alice, 2);
    rig.core.past.onBarrier(barrier(1), rig.now);
    rig.core.onBarrier(barrier(3, true), rig.now);
    expect(rig.reason).toBe("none");
  });

  it("goes on counting attempts and losses", () => {
    const rig = new DriverRig({ maxLosses: 2 });
    rig.core.onTask(item(0), inherited(3, true));
    rig.report(alice, 0, success, { attempt: 2 });
    expect(rig.look()).toEqual(["withdraw 0.3"]);
    for (const withdrawal of rig.withdrawals) rig.core.onWithdrawn(withdrawal, false, rig.now);
    expect(rig.look()).toEqual(["row zombie 0 0"]);
    rig.lose([0, 3]);
    expect(rig.look()).toEqual(["row task 0 -100"]);
  });

  it("accepts a late success of an attempt before the one that is not even published", () => {
    const rig = new DriverRig();
    rig.core.onTask(item(0), inherited(2, false));
    rig.report(alice, 0, success, { attempt: 1 });
    expect(rig.look()).toEqual(["row task 0 0"]);
  });

  it("writes nothing again that stands there: PERENGINE commands, late rows, rows of tasks", () => {
    const start = [perEngineLine(1, "setup")];
    const before = new DriverRig({}, { start, stop: [] });
    before.tasks(1);
    before.look();
    before.lose([0, 1]);
    before.report(alice, 0, success, { kind: "start" });
    before.report(bob, 0, success, { attempt: 2 });
    before.report(alice, 0, failure, { attempt: 1 });
    before.look();
    expect(before.rows.map(({ kind }) => kind)).toEqual(["perEngine", "task", "zombie"]);

    const rig = new DriverRig({}, { start, stop: [] });
    for (const past of before.rows) rig.core.past.onRow(past, true);
    rig.core.past.onReofferedTask(item(0), inherited(2, false));
    rig.report(alice, 0, success, { kind: "start" });
    rig.report(bob, 0, success, { attempt: 2 });
    rig.report(alice, 0, failure, { attempt: 1 });
    rig.report(alice, 0, lost, { attempt: 1 });
    expect(rig.look()).toEqual([]);
    expect(rig.core.view).toMatchObject({ done: 1, perEngineFailed: 0 });
  });
});
