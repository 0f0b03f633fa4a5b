import { describe, expect, it } from "vitest";
import { alice, bob, cancelled, skip, DriverRig, lost } from "./driver-rig.js";
import { row } from "../rows.js";

describe("what the ledger is told of single tasks", () => {
  it("is nothing when all is well", () => {
    const rig = new DriverRig();
    rig.tasks(20);
    for (let id = 0; id < 20; id++) rig.report(alice, id, { kind: "exited", code: id });
    rig.end();
    rig.look();
    expect(rig.core.takeExceptions()).toEqual([]);
  });

  it("are attempts that were stopped, and those whose launcher died, by host", () => {
    const rig = new DriverRig();
    rig.tasks(4);
    rig.look();
    rig.report(alice, 0, cancelled);
    rig.report(bob, 1, cancelled);
    rig.report(alice, 2, lost);
    rig.report(alice, 0, cancelled, { attempt: 2 });
    expect(rig.core.takeExceptions()).toEqual([
      {
        kind: "stoppedTasks",
        host: "vm",
        lost: false,
        tasks: [
          { id: 0, attempt: 1 },
          { id: 1, attempt: 1 },
          { id: 0, attempt: 2 },
        ],
      },
      { kind: "stoppedTasks", host: "vm", lost: true, tasks: [{ id: 2, attempt: 1 }] },
    ]);
    expect(rig.core.takeExceptions()).toEqual([]);
  });

  it("are attempts that are stopped with the run, too", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.look();
    rig.core.stop({ kind: "stopped", signal: "Ctrl-C" });
    rig.report(alice, 1, cancelled);
    expect(rig.core.takeExceptions()).toMatchObject([{ lost: false, tasks: [{ id: 1, attempt: 1 }] }]);
  });

  it("are attempts that come back before anybody has the next", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.look();
    rig.lose([0, 1]);
    // Not even published again.
    rig.report(alice, 0);
    expect(rig.core.takeExceptions()).toEqual([{ kind: "returned", tasks: [{ id: 0, attempt: 1 }] }]);
    rig.lose([1, 1]);
    rig.look();
    rig.report(alice, 1);
    rig.look();
    const [withdrawal] = rig.withdrawals;
    if (withdrawal === undefined) throw new Error("nothing to withdraw");
    rig.core.onWithdrawn(withdrawal, true, rig.now);
    expect(rig.core.takeExceptions()).toEqual([{ kind: "returned", tasks: [{ id: 1, attempt: 1 }] }]);
  });

  it("is that more tasks are handed out at a time than before, before they are", () => {
    const rig = new DriverRig();
    rig.core.onMembers({ engines: 1, slots: 3000, claimed: 0 });
    rig.tasks(1024);
    expect(rig.core.takeExceptions()).toEqual([]);
    rig.tasks(1);
    expect(rig.core.takeExceptions()).toEqual([{ kind: "window", tasks: 2048 }]);
    rig.tasks(4000);
    expect(rig.core.takeExceptions()).toEqual([{ kind: "window", tasks: 8192 }]);
  });
});

describe("a core that is held", () => {
  it("hands nothing out and wants nothing until it is let go, and takes reports", () => {
    const rig = new DriverRig();
    rig.tasks(3);
    expect(rig.look()).toEqual(["publish back 0 1 2"]);
    rig.tasks(2);
    rig.core.hold("the disk is full");
    expect(rig.core.wantsItems).toBe(false);
    expect(rig.core.takeOrder()).toBe("hold");
    rig.report(alice, 0);
    rig.lose([1, 1]);
    expect(rig.look()).toEqual(["row task 0 0"]);
    expect(rig.core.view).toMatchObject({ held: "the disk is full", done: 1 });
    rig.core.hold(null);
    expect(rig.core.takeOrder()).toBe("run");
    expect(rig.core.wantsItems).toBe(true);
    expect(rig.look()).toEqual(["publish front 1.2", "publish back 3 4"]);
    expect(rig.core.view.held).toBeNull();
  });
});

describe("what was read of the list", () => {
  it("counts tasks, barriers and what is skipped, and knows whether that is all", () => {
    const rig = new DriverRig();
    expect(rig.core.listRead).toEqual({ ids: 0, whole: false });
    rig.tasks(2);
    expect(rig.core.listRead.ids).toBe(2);
    skip(rig.core, row(2));
    expect(rig.core.listRead.ids).toBe(3);
    rig.end();
    expect(rig.core.listRead).toEqual({ ids: 3, whole: true });
    const bad = new DriverRig();
    bad.tasks(1);
    bad.barrier();
    bad.core.onBadInput("line 3", bad.now);
    expect(bad.core.listRead).toEqual({ ids: 2, whole: false });
  });
});
