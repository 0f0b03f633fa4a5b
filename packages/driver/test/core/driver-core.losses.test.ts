import { describe, expect, it } from "vitest";
import { alice, bob, cancelled, DriverRig, failure, lost, success } from "./driver-rig.js";

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
