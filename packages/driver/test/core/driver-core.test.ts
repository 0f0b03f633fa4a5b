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

describe("a plain list", () => {
  it("is published as it is read, gets one row a task, and ends when all have ended", () => {
    const rig = new DriverRig();
    rig.tasks(3);
    rig.end();
    expect(rig.look()).toEqual(["publish back 0 1 2"]);
    rig.report(alice, 1, failure);
    rig.report(bob, 0, { kind: "signalled", signal: 9 });
    expect(rig.look()).toEqual(["row task 1 1", "row task 0 -9"]);
    expect(rig.core.phase).toBe("running");
    rig.report(alice, 2, { kind: "failedToStart", errno: 7 });
    expect(rig.look()).toEqual(["order drain", "row task 2 7"]);
    expect([rig.core.phase, rig.reason]).toEqual(["draining", "finished"]);
    rig.core.onNobodyLeft();
    expect([rig.core.phase, rig.reason]).toEqual(["ended", "finished"]);
    expect(rig.core.view).toMatchObject({
      done: 3,
      failed: 3,
      skipped: 0,
      outstanding: 0,
      lost: 0,
      taskSeconds: 3,
    });
  });

  it("of nothing ends at once", () => {
    const rig = new DriverRig();
    rig.end();
    expect(rig.look()).toEqual(["order drain"]);
  });

  it("gives the row the numbers and the text of the list, and the rest as the engine told it", () => {
    const rig = new DriverRig();
    rig.task("echo a\tb");
    rig.report(alice, 0);
    rig.look();
    expect(rig.rows).toEqual([
      {
        kind: "task",
        id: 0,
        line: 1,
        repeatIndex: -1,
        node: "vm",
        pid: 1000,
        returnCode: 0,
        elapsed: 1,
        start: 1,
        finish: 2,
        outBytes: 0,
        outSnippet: "''",
        errBytes: 0,
        errSnippet: "''",
        command: Buffer.from("echo a\tb"),
      },
    ]);
  });

  it("keeps the first few failures for the summary", () => {
    const rig = new DriverRig();
    rig.tasks(40);
    for (let id = 0; id < 40; id++) rig.report(alice, id, failure);
    const { failures, failed } = rig.core.view;
    expect(failed).toBe(40);
    expect(failures).toHaveLength(10);
    expect(failures[3]).toEqual({
      id: 3,
      line: 4,
      timedOut: false,
      returnCode: 1,
      command: Buffer.from("task 3"),
      lastWords: Buffer.from("oh no"),
      perEngine: false,
    });
  });
});

describe("publishing", () => {
  it("is done in portions of so many tasks and so many bytes, but always one task", () => {
    const rig = new DriverRig();
    for (let i = 0; i < 5; i++) rig.task("x".repeat(100));
    const sizes = [
      [2, 1_000_000],
      [1000, 1],
      [1000, 150],
      [1000, 1],
    ].map(([tasks = 0, bytes = 0]) => rig.core.takePublish(tasks, bytes)?.tasks.length);
    expect(sizes).toEqual([2, 1, 2, undefined]);
  });

  it("asks for no more items than the window holds, in tasks", () => {
    const rig = new DriverRig();
    expect(rig.core.roomForItems).toBe(32);
    rig.tasks(31);
    expect([rig.core.wantsItems, rig.core.roomForItems]).toEqual([true, 1]);
    rig.task();
    expect([rig.core.wantsItems, rig.core.roomForItems]).toEqual([false, 0]);
    rig.report(alice, 5);
    expect(rig.core.roomForItems).toBe(1);
    rig.core.onMembers({ engines: 1, slots: 100, claimed: 0 });
    expect(rig.core.roomForItems).toBe(169);
  });

  it("asks for no more items than the window holds, in bytes, and counts them back when tasks end", () => {
    const rig = new DriverRig();
    rig.task("x".repeat(16 * 1024 * 1024 - 1));
    expect(rig.core.wantsItems).toBe(true);
    rig.task("y");
    expect(rig.core.wantsItems).toBe(false);
    rig.report(alice, 0);
    expect(rig.core.wantsItems).toBe(true);
  });

  it("asks for nothing after the end of the list, at a barrier, and when it is told to end", () => {
    const ended = new DriverRig();
    ended.task();
    ended.end();
    const atBarrier = new DriverRig();
    atBarrier.task();
    atBarrier.barrier();
    const drained = new DriverRig();
    drained.core.drain("Ctrl-C");
    for (const rig of [ended, atBarrier, drained]) {
      expect([rig.core.wantsItems, rig.core.roomForItems]).toEqual([false, 0]);
    }
  });
});

describe("PERENGINE reports", () => {
  const perEngine = { start: [perEngineLine(1, "a"), perEngineLine(2, "b")], stop: [perEngineLine(3, "c")] };

  it("get rows with the numbers of their own list, one for each engine, and count apart from tasks", () => {
    const rig = new DriverRig({}, perEngine);
    rig.task();
    rig.report(alice, 0, success, { kind: "start" });
    rig.report(bob, 1, failure, { kind: "start" });
    rig.report(bob, 0, success, { kind: "stop" });
    expect(rig.look()).toEqual([
      "publish back 0",
      "row perEngine 0 0",
      "row perEngine 1 1",
      "row perEngine 0 0",
    ]);
    expect(rig.rows.map((row) => [row.line, Buffer.from(row.command).toString()])).toEqual([
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ]);
    expect(rig.core.view).toMatchObject({ done: 0, failed: 0, perEngineFailed: 1, outstanding: 1 });
    expect(rig.core.view.failures[0]).toMatchObject({ perEngine: true, line: 2 });
  });

  it("have no row when we stopped the command, or when there is no such command", () => {
    const rig = new DriverRig({}, perEngine);
    rig.report(alice, 0, cancelled, { kind: "start" });
    rig.report(alice, 0, lost, { kind: "stop" });
    rig.report(alice, 1, success, { kind: "stop" });
    expect(rig.look()).toEqual([]);
  });
});

describe("skipped tasks", () => {
  it("get the old row with an S, and count as neither done nor failed in this run", () => {
    const rig = new DriverRig();
    const [good, bad] = [earlierRow(0, 0), earlierRow(1, 5)];
    skip(rig.core, good);
    skip(rig.core, bad);
    rig.end();
    expect(rig.look()).toEqual(["order drain", "row skipped 0 0", "row skipped 1 5"]);
    expect(rig.rows).toEqual([
      { ...good, kind: "skipped" },
      { ...bad, kind: "skipped" },
    ]);
    expect(rig.core.view).toMatchObject({ done: 0, failed: 0, skipped: 2, skippedFailed: 1, outstanding: 0 });
  });
});

describe("the view", () => {
  it("tells how many run: no more than are claimed, outstanding, or have a slot", () => {
    const rig = new DriverRig();
    rig.tasks(10);
    for (const [slots, claimed, running] of [
      [4, 3, 3],
      [4, 7, 4],
      [40, 30, 10],
    ] as const) {
      rig.core.onMembers({ engines: 1, slots, claimed });
      expect(rig.core.view).toMatchObject({ slots, engines: 1, running });
    }
  });
});
