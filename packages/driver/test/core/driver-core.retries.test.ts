import { describe, expect, it } from "vitest";
import { plainPolicy } from "../../src/core/task-policy.js";
import { DriverRig, alice, bob, cancelled, failure, lost, success } from "./driver-rig.js";

const [second, fifth] = [1000, 1.2];

function rigWith(retries: number, more: ConstructorParameters<typeof DriverRig>[0] = {}): DriverRig {
  return new DriverRig({ policy: { ...plainPolicy, retries, retryDelayMs: second }, ...more });
}

describe("a task with retries", () => {
  it("is offered again when its delay is over, twice as late each time, and has the last attempt's row", () => {
    const rig = rigWith(2);
    rig.task();
    rig.end();
    rig.look();
    rig.report(alice, 0, failure);
    expect(rig.core.onClock(0)).toBeGreaterThanOrEqual(second);
    expect(rig.look()).toEqual(["failed 0 1"]);
    rig.core.onClock(second - 1);
    expect(rig.look()).toEqual([]);
    expect(rig.core.onClock(fifth * second)).toBeNull();
    expect(rig.look()).toEqual(["publish front 0.2"]);
    rig.report(bob, 0, { kind: "signalled", signal: 9 }, { attempt: 2 });
    rig.core.onClock(10_000);
    rig.core.onClock(10_000 + 2 * second - 1);
    expect(rig.look()).toEqual(["failed 0.2 -9"]);
    rig.core.onClock(10_000 + 2 * fifth * second);
    expect(rig.look()).toEqual(["publish front 0.3"]);
    rig.report(alice, 0, { kind: "exited", code: 7 }, { attempt: 3 });
    expect(rig.look()).toEqual(["order drain", "row task 0 7"]);
    expect(rig.core.view).toMatchObject({ done: 1, failed: 1, retried: 2, outstanding: 0 });
  });

  it("has failed for a barrier, its check and fail-fast only when it is not tried again", () => {
    const rig = rigWith(1, { failFast: true });
    rig.tasks(2);
    rig.barrier(true);
    rig.look();
    rig.report(alice, 0, failure);
    rig.report(alice, 1, success);
    expect(rig.look()).toEqual(["row task 1 0", "failed 0 1"]);
    expect(rig.core.view).toMatchObject({ phase: "running", outstanding: 1, atBarrier: 2 });
    retry(rig);
    rig.report(alice, 0, success, { attempt: 2 });
    rig.end();
    expect(rig.look()).toEqual(["order drain", "row task 0 0", "row checkBarrier 2 0"]);
    expect(rig.reason).toBe("finished");
  });

  it("stops a run that is to fail fast when its last attempt fails", () => {
    const rig = rigWith(1, { failFast: true });
    rig.task();
    rig.report(alice, 0, failure);
    retry(rig);
    rig.report(alice, 0, failure, { attempt: 2 });
    expect(rig.look()).toEqual(["order stop", "row task 0 1"]);
    expect(rig.reason).toBe("failFast");
  });

  it("uses none up when it is lost or handed back", () => {
    const rig = rigWith(1, { maxLosses: 5 });
    rig.task();
    rig.look();
    rig.lose([0, 1]);
    rig.report(alice, 0, lost, { attempt: 2 });
    rig.report(alice, 0, cancelled, { attempt: 3 });
    rig.look();
    rig.report(alice, 0, failure, { attempt: 4 });
    expect(rig.look()).toEqual(["failed 0.4 1"]);
    retry(rig);
    rig.lose([0, 5]);
    rig.look();
    rig.report(bob, 0, failure, { attempt: 6 });
    expect(rig.look()).toEqual(["row task 0 1"]);
    expect(rig.core.view).toMatchObject({ lost: 3, retried: 1, failed: 1 });
  });

  it("waits in no slot, and takes no room in the window", () => {
    const rig = rigWith(1);
    const room = rig.core.roomForItems;
    rig.tasks(room);
    expect(rig.core.wantsItems).toBe(false);
    rig.look();
    for (let id = 0; id < room; id++) rig.report(alice, id, failure);
    expect(rig.core.roomForItems).toBe(room);
    expect(rig.core.view).toMatchObject({ outstanding: room, retried: room });
  });

  it("has no more of its kind waiting than the memory has room for", () => {
    const rig = rigWith(1, { policy: { ...plainPolicy, retries: 1, retryDelayMs: 3_600_000 } });
    let id = 0;
    while (rig.core.wantsItems && id < 100_000) {
      rig.task();
      rig.report(alice, id++, failure);
      rig.core.takeExceptions();
    }
    expect(id).toBeGreaterThanOrEqual(10_000);
    expect(id).toBeLessThan(31_000);
  });

  it("is done when an attempt that was given up has succeeded after all", () => {
    const rig = rigWith(1);
    rig.task();
    rig.end();
    rig.look();
    rig.lose([0, 1]);
    rig.look();
    rig.report(bob, 0, failure, { attempt: 2 });
    expect(rig.look()).toEqual(["failed 0.2 1"]);
    rig.report(alice, 0, success);
    expect(rig.look()).toEqual(["order drain", "row task 0 0"]);
    expect(rig.core.onClock(10 ** 9)).toBeNull();
    expect(rig.look()).toEqual([]);
  });

  it("is not told of again when the failure is reported twice", () => {
    const rig = rigWith(1);
    rig.task();
    rig.look();
    rig.lose([0, 1]);
    rig.look();
    rig.report(bob, 0, failure, { attempt: 2 });
    // As a store that has forgotten lets it happen: another engine number, the same attempt.
    rig.report(alice, 0, failure, { attempt: 2 });
    expect(rig.look()).toEqual(["failed 0.2 1"]);
    retry(rig);
    rig.report(bob, 0, success, { attempt: 3 });
    rig.report(alice, 0, failure, { attempt: 2 });
    expect(rig.look()).toEqual(["row task 0 0"]);
    rig.report(alice, 0, success, { attempt: 1 });
    expect(rig.look()).toEqual(["row zombie 0 0"]);
  });

  it("that waits is no news for a store that has forgotten: it is offered once", () => {
    const rig = rigWith(1);
    rig.tasks(2);
    rig.look();
    rig.report(alice, 0, failure);
    rig.core.onForgotten();
    rig.core.onSettled();
    expect(rig.look()).toEqual(["publish front 1.2", "failed 0 1"]);
    rig.core.onClock(0);
    rig.core.onClock(10_000);
    expect(rig.look()).toEqual(["publish front 0.2"]);
  });

  it("that timed out has failed, and its row says so", () => {
    const rig = rigWith(1);
    rig.task();
    rig.look();
    rig.report(alice, 0, { kind: "timedOut", signal: 15 });
    expect(rig.look()).toEqual(["failed 0 -15"]);
    retry(rig);
    rig.report(alice, 0, { kind: "timedOut", signal: 9 }, { attempt: 2 });
    expect(rig.look()).toEqual(["row timedOut 0 -9"]);
    expect(rig.core.view.failures).toMatchObject([{ returnCode: -9, timedOut: true }]);
  });
});

describe.each(["drain", "stop"] as const)("in a run that is told to %s", (how) => {
  const end = (rig: DriverRig): void =>
    how === "drain" ? rig.core.drain("Ctrl-C") : rig.core.stop({ kind: "stopped", signal: "SIGTERM" });

  it("a task that waits for its retry has no row, nor has one that fails with retries left", () => {
    const rig = rigWith(1);
    rig.tasks(2);
    rig.look();
    rig.report(alice, 0, failure);
    rig.look();
    end(rig);
    rig.report(alice, 1, failure);
    expect(rig.core.onClock(10 ** 9)).toBeNull();
    expect(rig.look()).toEqual([`order ${how}`, "failed 1 1"]);
    rig.core.onNobodyLeft();
    expect(rig.look()).toEqual([]);
    expect(rig.core.view).toMatchObject({ done: 0, failed: 0, retried: 1 });
  });

  it("a task that fails in its last attempt has its row", () => {
    const rig = rigWith(1);
    rig.task();
    rig.look();
    rig.report(alice, 0, failure);
    retry(rig);
    end(rig);
    rig.report(alice, 0, failure, { attempt: 2 });
    expect(rig.look()).toEqual([`order ${how}`, "row task 0 1"]);
  });
});

describe("what directives say", () => {
  it("holds for a task in the place of the options", () => {
    const rig = rigWith(1);
    rig.task("a");
    rig.task("b", { retries: 0 });
    rig.task("c", { timeoutMs: 1500 });
    expect(rig.look()).toEqual(["publish back 0 1 2 (1500 ms)"]);
    rig.report(alice, 1, failure);
    rig.report(alice, 2, failure);
    expect(rig.look()).toEqual(["row task 1 1", "failed 2 1"]);
  });
});

/** So much time passes that whatever waits is due. */
function retry(rig: DriverRig): void {
  rig.core.onClock(0);
  rig.core.onClock(10 ** 9);
  rig.look();
}
