import { describe, expect, it } from "vitest";
import type { StatusRow } from "../../src/core/status-line/index.js";
import { alice, bob, cancelled, DriverRig, failure, lost, success } from "./driver-rig.js";

const line = (number: number, text: string) => ({ line: number, command: Buffer.from(text) });

function skippedRow(id: number, returnCode: number): StatusRow {
  const rig = new DriverRig();
  rig.tasks(id + 1);
  rig.report(alice, id, { kind: "exited", code: returnCode });
  rig.look();
  const row = rig.rows[0];
  if (row === undefined) throw new Error("no row");
  return row;
}

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
    rig.core.onNoContextLeft("");
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
    const first = new DriverRig({}, { start: [line(1, "x")], stop: [] });
    first.report(alice, 0, failure, { kind: "start" });
    first.barrier(true);
    expect(first.look()).toEqual(["order stop", "row perEngine 0 1", "row checkBarrier 0 0"]);
    const second = new DriverRig();
    second.core.onSkipped(skippedRow(0, 3));
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
    const first = new DriverRig({ failFast: true }, { start: [line(1, "x")], stop: [] });
    first.task();
    first.report(alice, 0, failure, { kind: "start" });
    expect(first.look()).toEqual(["order stop", "row perEngine 0 1"]);
    const second = new DriverRig({ failFast: true });
    second.core.onSkipped(skippedRow(0, 3));
    expect(second.reason).toBe("failFast");
  });
});

describe("PERENGINE reports", () => {
  const perEngine = { start: [line(1, "a"), line(2, "b")], stop: [line(3, "c")] };

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
    const [good, bad] = [skippedRow(0, 0), skippedRow(1, 5)];
    rig.core.onSkipped(good);
    rig.core.onSkipped(bad);
    rig.end();
    expect(rig.look()).toEqual(["order drain", "row skipped 0 0", "row skipped 1 5"]);
    expect(rig.rows).toEqual([
      { ...good, kind: "skipped" },
      { ...bad, kind: "skipped" },
    ]);
    expect(rig.core.view).toMatchObject({ done: 0, failed: 0, skipped: 2, skippedFailed: 1, outstanding: 0 });
  });
});

describe("a lost engine", () => {
  it("has its tasks offered again, in front of all others, as the next attempt", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.look();
    rig.tasks(1);
    rig.lose([0, 1], [1, 1]);
    expect(rig.look()).toEqual(["publish front 0.2 1.2", "publish back 2"]);
    expect(rig.core.view).toMatchObject({ lost: 2, outstanding: 3, done: 0 });
    rig.report(bob, 1, success, { attempt: 2 });
    expect(rig.look()).toEqual(["row task 1 0"]);
  });

  it("offers nothing again that has ended or that was offered again before", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.report(alice, 0);
    rig.lose([1, 1]);
    rig.look();
    rig.lose([0, 1], [1, 1], [7, 1]);
    expect(rig.look()).toEqual([]);
    expect(rig.core.view.lost).toBe(1);
  });

  it("leads to the row -100 when one task was lost more often than is allowed", () => {
    const rig = new DriverRig({ maxLosses: 2 });
    rig.task("poison");
    rig.end();
    rig.look();
    rig.lose([0, 1]);
    rig.look();
    rig.lose([0, 2]);
    expect(rig.look()).toEqual(["publish front 0.3"]);
    rig.now = 2_000_000;
    rig.lose([0, 3]);
    expect(rig.look()).toEqual(["order drain", "row task 0 -100"]);
    expect(rig.rows[0]).toMatchObject({
      node: "login",
      pid: -1,
      elapsed: 0,
      start: 2000,
      finish: 2000,
      outSnippet: "''",
    });
    expect(rig.core.view).toMatchObject({ done: 1, failed: 1, lost: 3, outstanding: 0 });
  });

  it("leads to the row -100 at the first loss where none is allowed", () => {
    const rig = new DriverRig({ maxLosses: 0, failFast: true });
    rig.task();
    rig.lose([0, 1]);
    expect(rig.look()).toEqual(["order stop", "row task 0 -100"]);
  });

  it("that comes back after its task was given up adds a Z row", () => {
    const rig = new DriverRig({ maxLosses: 0 });
    rig.task();
    rig.end();
    rig.look();
    rig.lose([0, 1]);
    rig.report(alice, 0, success);
    expect(rig.look()).toEqual(["order drain", "row task 0 -100", "row zombie 0 0"]);
    rig.report(alice, 0, success, { number: 1 });
    expect(rig.look()).toEqual([]);
    expect(rig.core.view).toMatchObject({ done: 1, failed: 1 });
  });

  it("uses up no loss of a task that was only cancelled there", () => {
    const rig = new DriverRig({ maxLosses: 1 });
    rig.task();
    rig.look();
    for (let tries = 1; tries <= 5; tries++) {
      rig.report(alice, 0, cancelled, { attempt: tries });
      expect(rig.look()).toEqual([`publish front 0.${tries + 1}`]);
    }
    expect(rig.core.view.lost).toBe(0);
    rig.report(alice, 0, lost, { attempt: 6 });
    expect(rig.look()).toEqual(["publish front 0.7"]);
    rig.report(alice, 0, lost, { attempt: 7 });
    expect(rig.look()).toEqual(["row task 0 -100"]);
  });
});

describe("a report that comes late", () => {
  function reoffered(): DriverRig {
    const rig = new DriverRig();
    rig.task();
    rig.look();
    rig.lose([0, 1]);
    return rig;
  }

  it("of a success counts at once while the next attempt is not even published", () => {
    const rig = reoffered();
    rig.report(alice, 0);
    expect(rig.look()).toEqual(["row task 0 0"]);
    expect(rig.core.view).toMatchObject({ outstanding: 0, done: 1 });
  });

  it("of a success counts when the next attempt could be withdrawn", () => {
    const rig = reoffered();
    rig.look();
    rig.report(alice, 0);
    expect(rig.look()).toEqual(["withdraw 0.2"]);
    expect(rig.core.view.outstanding).toBe(1);
    const [withdrawal] = rig.withdrawals;
    if (withdrawal === undefined) throw new Error("no withdrawal");
    rig.core.onWithdrawn(withdrawal, true, rig.now);
    expect(rig.look()).toEqual(["row task 0 0"]);
    rig.end();
    expect(rig.look()).toEqual(["order drain"]);
  });

  it("of a success is a Z row when somebody runs the next attempt already; that one's row counts", () => {
    const rig = reoffered();
    rig.look();
    rig.report(alice, 0);
    rig.look();
    const [withdrawal] = rig.withdrawals;
    if (withdrawal === undefined) throw new Error("no withdrawal");
    rig.core.onWithdrawn(withdrawal, false, rig.now);
    expect(rig.look()).toEqual(["row zombie 0 0"]);
    rig.report(bob, 0, failure, { attempt: 2 });
    expect(rig.look()).toEqual(["row task 0 1"]);
  });

  it("of a success, once withdrawn, makes a second late success a Z row", () => {
    const rig = reoffered();
    rig.look();
    rig.lose([0, 2]);
    rig.look();
    rig.report(alice, 0, success, { attempt: 1 });
    rig.report(bob, 0, success, { attempt: 2 });
    expect(rig.look()).toEqual(["withdraw 0.3", "withdraw 0.3"]);
    for (const withdrawal of rig.withdrawals) rig.core.onWithdrawn(withdrawal, true, rig.now);
    expect(rig.look()).toEqual(["row task 0 0", "row zombie 0 0"]);
  });

  it("of a failure is a Z row, and the task stays offered", () => {
    const rig = reoffered();
    rig.report(alice, 0, failure);
    expect(rig.look()).toEqual(["publish front 0.2", "row zombie 0 1"]);
    expect(rig.core.view).toMatchObject({ outstanding: 1, failed: 0 });
  });

  it("of a cancelled or lost attempt says nothing", () => {
    const rig = reoffered();
    rig.report(alice, 0, cancelled);
    rig.report(alice, 0, lost);
    expect(rig.look()).toEqual(["publish front 0.2"]);
  });

  it("after the next attempt has ended is a Z row", () => {
    const rig = reoffered();
    rig.look();
    rig.report(bob, 0, success, { attempt: 2 });
    rig.report(alice, 0, failure, { attempt: 1 });
    expect(rig.look()).toEqual(["row task 0 0", "row zombie 0 1"]);
    expect(rig.core.view).toMatchObject({ done: 1, failed: 0 });
  });

  it("twice is news once: an engine repeats its numbers, and the recorded attempt is not flagged", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.look();
    rig.report(alice, 0, success);
    rig.report(alice, 1, success);
    rig.look();
    rig.report(alice, 0, success, { number: 1 });
    rig.report(alice, 1, success, { number: 2 });
    // A store that forgot may have made somebody count from anew: the same attempt is still no news.
    rig.report(bob, 0, success);
    expect(rig.look()).toEqual([]);
    expect(rig.core.view.done).toBe(2);
  });
});

describe("a drain", () => {
  it("publishes nothing more, offers nothing again, and records what ends", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.look();
    rig.task();
    rig.core.drain("Ctrl-C");
    expect(rig.look()).toEqual(["order drain"]);
    rig.report(alice, 0);
    rig.report(alice, 1, cancelled);
    expect(rig.look()).toEqual(["row task 0 0"]);
    rig.core.onNoContextLeft("");
    expect(rig.core.reason).toEqual({ kind: "drained", signal: "Ctrl-C" });
    expect(rig.core.phase).toBe("ended");
  });

  it("does not pass a barrier any more", () => {
    const rig = new DriverRig();
    rig.task();
    rig.barrier(false, "k");
    rig.look();
    rig.core.drain("Ctrl-C");
    rig.report(alice, 0);
    expect(rig.look()).toEqual(["order drain", "row task 0 0"]);
  });

  it("records the late end of a task that was taken for lost meanwhile, as nobody else runs it", () => {
    const rig = new DriverRig();
    rig.task();
    rig.look();
    rig.core.drain("Ctrl-C");
    rig.lose([0, 1]);
    rig.report(alice, 0);
    expect(rig.look()).toEqual(["order drain", "row task 0 0"]);
    expect(rig.core.view.done).toBe(1);
  });

  it("becomes a stop when one is asked for, and not again", () => {
    const rig = new DriverRig();
    rig.core.drain("Ctrl-C");
    rig.core.stop({ kind: "stopped", signal: "Ctrl-C" });
    rig.core.drain("Ctrl-C");
    rig.core.stop({ kind: "broken", message: "x" });
    expect(rig.look()).toEqual(["order stop"]);
    expect(rig.core.reason).toEqual({ kind: "stopped", signal: "Ctrl-C" });
  });
});

describe("a stop", () => {
  it("keeps its first reason, records what ended all the same, and gives stopped tasks no row", () => {
    const rig = new DriverRig({ failFast: true });
    rig.tasks(3);
    rig.look();
    rig.core.stop({ kind: "stopped", signal: "SIGTERM" });
    rig.report(alice, 0, failure);
    rig.report(alice, 1, cancelled);
    expect(rig.look()).toEqual(["order stop", "row task 0 1"]);
    expect(rig.core.reason).toEqual({ kind: "stopped", signal: "SIGTERM" });
    rig.core.onNoContextLeft("whatever");
    expect(rig.core.reason).toEqual({ kind: "stopped", signal: "SIGTERM" });
    expect(rig.look()).toEqual([]);
  });
});

describe("when no context is left", () => {
  it("a run with tasks left has failed for want of engines", () => {
    const rig = new DriverRig();
    rig.task();
    rig.look();
    rig.lose([0, 1]);
    rig.core.onNoContextLeft("engine ended with signal SIGKILL");
    expect(rig.core.reason).toEqual({ kind: "noEngines", message: "engine ended with signal SIGKILL" });
    expect(rig.core.phase).toBe("ended");
    expect(rig.look()).toEqual([]);
  });
});

describe("bad input", () => {
  it("ends the run after what was read before it has ended", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.core.onBadInput("line 3: unknown directive", rig.now);
    expect(rig.core.wantsItems).toBe(false);
    expect(rig.look()).toEqual(["publish back 0 1"]);
    rig.report(alice, 0);
    rig.report(alice, 1, failure);
    expect(rig.look()).toEqual(["order drain", "row task 0 0", "row task 1 1"]);
    expect(rig.core.reason).toEqual({ kind: "badInput", message: "line 3: unknown directive" });
  });

  it("is what is told even when no engine is left to run what came before", () => {
    const rig = new DriverRig();
    rig.task();
    rig.core.onBadInput("line 2", rig.now);
    rig.core.onNoContextLeft("gone");
    expect(rig.reason).toBe("badInput");
  });

  it("ends the run at once when nothing runs", () => {
    const rig = new DriverRig();
    rig.core.onBadInput("line 1", rig.now);
    expect(rig.look()).toEqual(["order drain"]);
    expect(rig.reason).toBe("badInput");
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
