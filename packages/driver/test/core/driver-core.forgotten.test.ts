import { attempt, taskId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { alice, bob, cancelled, DriverRig, success } from "./driver-rig.js";

function claims(...ids: readonly (readonly [id: number, attempt: number])[]) {
  return ids.map(([id, tries]) => ({ id: taskId(id), attempt: attempt(tries) }));
}

describe("a store that has forgotten", () => {
  it("is given what it never had at once, and what it had only when everybody has been heard of", () => {
    const rig = new DriverRig();
    rig.tasks(3);
    rig.look();
    rig.core.onForgotten();
    rig.tasks(1);
    expect(rig.look()).toEqual(["publish back 3"]);
    rig.core.onAnnounced(claims([1, 1]));
    expect(rig.look()).toEqual([]);
    expect(rig.core.onSettled()).toEqual(claims([0, 1], [2, 1]));
    expect(rig.look()).toEqual(["publish front 0.2 2.2"]);
    expect(rig.core.view).toMatchObject({ outstanding: 4, lost: 0 });
  });

  it("is given the next attempts: an engine that nobody saw may have had them, and be dead", () => {
    const rig = new DriverRig({ maxLosses: 0 });
    rig.tasks(3);
    rig.look();
    rig.core.onForgotten();
    rig.core.onAnnounced(claims([1, 1]));
    expect(rig.core.onSettled()).toEqual(claims([0, 1], [2, 1]));
    expect(rig.look()).toEqual(["publish front 0.2 2.2"]);
    // Nobody can say that these were ever started.
    expect(rig.core.view).toMatchObject({ outstanding: 3, lost: 0 });
    // One of them had ended before it was lost; nobody has claimed it again.
    rig.report(bob, 0, success, { attempt: 1 });
    expect(rig.look()).toEqual(["withdraw 0.2"]);
  });

  it("is not given again what has ended, or was offered again, before all was settled", () => {
    const rig = new DriverRig();
    rig.tasks(4);
    rig.look();
    rig.core.onForgotten();
    rig.report(alice, 0);
    rig.report(alice, 1, cancelled);
    rig.lose([2, 1]);
    expect(rig.look()).toEqual(["publish front 1.2 2.2", "row task 0 0"]);
    rig.core.onSettled();
    expect(rig.look()).toEqual(["publish front 3.2"]);
    rig.core.onSettled();
    expect(rig.look()).toEqual([]);
  });

  it("may forget again: what was announced before counts no more", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.look();
    rig.core.onForgotten();
    rig.core.onAnnounced(claims([0, 1], [1, 1]));
    rig.core.onForgotten();
    rig.core.onAnnounced(claims([1, 1]));
    rig.core.onSettled();
    expect(rig.look()).toEqual(["publish front 0.2"]);
  });

  it("does not count an older attempt for the one that is to be settled", () => {
    const rig = new DriverRig();
    rig.tasks(1);
    rig.look();
    rig.lose([0, 1]);
    rig.look();
    rig.core.onForgotten();
    rig.core.onAnnounced(claims([0, 1]));
    rig.core.onSettled();
    expect(rig.look()).toEqual(["publish front 0.3"]);
  });

  it("is given what an engine lost that had come back", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.look();
    rig.core.onForgotten();
    rig.core.onAnnounced(claims([0, 1]));
    rig.lose([0, 1]);
    expect(rig.look()).toEqual(["publish front 0.2"]);
    rig.core.onSettled();
    expect(rig.look()).toEqual(["publish front 1.2"]);
  });

  it("holds a barrier until what it had has ended", () => {
    const rig = new DriverRig();
    rig.tasks(1);
    rig.barrier();
    rig.look();
    rig.core.onForgotten();
    rig.core.onSettled();
    expect(rig.look()).toEqual(["publish front 0.2"]);
    rig.report(alice, 0, success, { attempt: 2 });
    expect(rig.look()).toEqual(["row task 0 0", "row barrier 1 0"]);
  });

  it("gets nothing in a run that ends", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.look();
    rig.core.drain("TERM");
    rig.core.onForgotten();
    rig.core.onAnnounced(claims([0, 1]));
    expect(rig.core.onSettled()).toEqual([]);
    expect(rig.look()).toEqual(["order drain"]);
  });

  it("knows of how many tasks each engine has told", () => {
    const rig = new DriverRig({}, { start: [{ line: 1, command: Buffer.from("x") }], stop: [] });
    rig.tasks(2);
    rig.look();
    rig.report(alice, 0, success, { kind: "start" });
    rig.report(alice, 0);
    rig.report(alice, 0, success, { number: 2 });
    rig.report(alice, 1, cancelled);
    expect([rig.core.tasksReportedBy(alice), rig.core.tasksReportedBy(bob)]).toEqual([2, 0]);
  });
});
