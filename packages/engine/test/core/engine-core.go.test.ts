import { describe, expect, it } from "vitest";
import { queued, Rig, unlimited } from "./rig.js";
import { busyRig, hurriedRig, idleRig, ids } from "./rig-states.js";

describe("why an engine goes", () => {
  it("is what it decided itself, which its statistics tell at once", () => {
    const rig = busyRig();
    rig.core.drain("the allocation ends");
    expect(rig.core.stats).toMatchObject({ state: "draining", why: "the allocation ends" });
    rig.core.drain("idle for 60 s");
    expect(rig.core.stats.why).toBe("the allocation ends");
    rig.end(1);
    rig.end(2);
    rig.answer({ acknowledged: 1 });
    rig.answer({ acknowledged: 2 });
    expect(rig.left).toBe("the allocation ends");
  });

  it("is an order of others, of which its statistics say nothing: they know", () => {
    const rig = idleRig({ stop: ["tidy"] });
    rig.core.onWanted("drain");
    expect(rig.core.stats).toMatchObject({ state: "draining", why: "" });
    rig.end(1);
    rig.answer({ wanted: "drain", acknowledged: 1 });
    expect(rig.left).toBe("retired");
    const stopped = idleRig();
    stopped.core.onWanted("stop");
    expect(stopped.left).toBe("stopped");
  });

  it("is the stop when one follows on a drain", () => {
    const rig = busyRig();
    rig.core.onWanted("drain");
    rig.core.stop("SIGTERM");
    expect(rig.core.stats.why).toBe("SIGTERM");
  });

  it("a drain takes nothing new, and releases what waits", () => {
    const rig = hurriedRig([2, 3, 4]);
    rig.answer();
    rig.calls();
    rig.core.drain("the allocation ends");
    expect(rig.calls()).toEqual(["recall", "exchange 4: awaits"]);
    rig.core.onRecalled([4, 5]);
    rig.answer({ wanted: "run" });
    expect(rig.calls()).toEqual(["exchange 5: releases 3, 4; awaits"]);
    rig.answer({ wanted: "run" });
    rig.core.onBell();
    expect(rig.request.wants).toEqual([]);
  });
});

describe("an engine in an allocation", () => {
  it("holds a failure back, with the slot free at once, and tells it when nothing explains it", () => {
    const rig = busyRig({ holdsFailures: true });
    rig.end(1, { kind: "exited", code: 3 });
    expect(rig.calls()).toEqual(["exchange 2: wants c1*1; idle 1"]);
    expect([rig.core.holds, rig.core.stats]).toEqual([
      true,
      { ...unlimited(2), busy: 1, done: 0, failed: 0 },
    ]);
    rig.answer({ tasks: [queued(2)] });
    expect(rig.calls()).toEqual(["enqueue 3: id 2: task 2"]);
    rig.core.onHeldDue();
    expect(rig.calls()).toEqual([]);
    rig.core.onHeldDue();
    expect(rig.calls()).toEqual(["exchange 3: reports 1 task 0 exit 3 ends 0"]);
    expect([rig.core.holds, rig.core.stats]).toMatchObject([false, { done: 1, failed: 1 }]);
  });

  const enqueues = (rig: Rig): readonly string[] => rig.calls().filter((call) => call.startsWith("enqueue"));

  it("starts nothing while an end looks like a scheduler's signal: what starts now would die of it too", () => {
    const rig = busyRig({ holdsFailures: true });
    rig.end(1, { kind: "exited", code: 143 });
    rig.answer({ tasks: [queued(2)] });
    rig.core.onReminder();
    expect(enqueues(rig)).toEqual([]);
    rig.core.onHeldDue();
    rig.core.onHeldDue();
    expect(enqueues(rig)).toEqual(["enqueue 3: id 2: task 2"]);
  });

  it("takes back what waits for a slot then, keeps it, and starts it when nothing explains the end", () => {
    const rig = hurriedRig(ids(2, 5), { holdsFailures: true });
    rig.answer({ tasks: [] });
    rig.end(2, { kind: "signalled", signal: 12 });
    expect(rig.calls()).toEqual(["recall"]);
    rig.core.onRecalled([5, 6]);
    rig.core.onReminder();
    rig.core.onBell();
    expect(rig.calls().filter((call) => call.includes("releases"))).toEqual([]);
    rig.answer({ tasks: [queued(6)] });
    // It has more than enough.
    rig.end(3);
    expect(rig.request.wants).toEqual([]);
    rig.core.onHeldDue();
    expect(enqueues(rig)).toEqual([]);
    rig.core.onHeldDue();
    expect(enqueues(rig)).toEqual([
      "enqueue 7: id 4: task 4",
      "enqueue 8: id 5: task 5",
      "enqueue 9: id 6: task 6",
    ]);
  });

  it("hands it back when it was a signal", () => {
    const rig = hurriedRig(ids(2, 5), { holdsFailures: true });
    rig.answer();
    rig.end(2, { kind: "signalled", signal: 12 });
    rig.core.onRecalled([5, 6]);
    rig.core.onStopSignal("SIGUSR2");
    rig.answer();
    expect(rig.calls().filter((call) => call.startsWith("exchange"))).toEqual([
      "exchange 4: reports 2 task 1 cancelled ends 1; releases 4, 5; awaits",
    ]);
  });

  it("holds nothing else back: success, what it stopped itself, what could not be started", () => {
    const rig = busyRig({ slots: 3, holdsFailures: true });
    rig.answer({ tasks: [queued(2)] });
    rig.end(1);
    rig.end(2, { kind: "signalled", signal: 9 }, { stopped: true });
    rig.end(3, { kind: "failedToStart", errno: 7 });
    expect(rig.core.holds).toBe(false);
  });

  it("hands back what a signal explains: held, running, and failing after it", () => {
    const rig = busyRig({ slots: 4, holdsFailures: true, stop: ["tidy"] });
    rig.answer({ tasks: [queued(2), queued(3)] });
    rig.end(1, { kind: "signalled", signal: 15 });
    rig.answer();
    rig.end(2, { kind: "lost" });
    rig.calls();
    rig.core.onStopSignal("SIGTERM");
    expect(rig.calls()).toEqual([
      "recall",
      "stop 3, grace 3000",
      "stop 4, grace 3000",
      "exchange 4: reports 1 task 0 cancelled ends 0, 2 task 1 cancelled ends 1; awaits",
    ]);
    rig.end(3, { kind: "exited", code: 1 });
    rig.end(4, { kind: "exited", code: 0 });
    rig.answer({ wanted: "run" });
    expect(rig.calls()).toEqual([
      "exchange 5: reports 3 task 2 cancelled ends 2, 4 task 3 exit 0 ends 3; awaits",
    ]);
    rig.answer({ acknowledged: 4 });
    expect([rig.calls(), rig.left]).toEqual([["leave"], "SIGTERM"]);
    expect(rig.core.stats).toMatchObject({ done: 1, failed: 0 });
  });

  it("a signal explains what failed while it drained, and ends its STOP commands", () => {
    const rig = busyRig({ holdsFailures: true, stop: ["tidy"] });
    rig.core.onWanted("drain");
    rig.end(1, { kind: "exited", code: 1 });
    rig.end(2);
    rig.calls();
    rig.core.onStopSignal("SIGUSR1");
    expect(rig.calls()).toEqual(["recall", "stop 3, grace 3000"]);
    rig.end(3, { kind: "exited", code: 1 });
    rig.answer({ wanted: "drain" });
    expect(rig.calls()).toEqual([
      "exchange 3: reports 2 task 0 cancelled ends 0, 3 stop 0 cancelled; awaits",
    ]);
    rig.answer({ acknowledged: 3 });
    expect(rig.left).toBe("SIGUSR1");
  });

  it("does not leave with ends that it holds", () => {
    const rig = busyRig({ holdsFailures: true });
    rig.core.onWanted("drain");
    rig.end(1, { kind: "exited", code: 1 });
    rig.end(2, { kind: "exited", code: 2 });
    expect([rig.calls(), rig.core.idle]).toEqual([[], false]);
    rig.core.onHeldDue();
    rig.core.onHeldDue();
    expect(rig.calls()).toEqual([
      "exchange 2: reports 1 task 0 exit 1 ends 0, 2 task 1 exit 2 ends 1; awaits",
    ]);
    rig.answer({ wanted: "drain", acknowledged: 2 });
    expect(rig.calls()).toEqual(["leave"]);
  });

  it("a signal before anything was claimed lets it leave", () => {
    const rig = new Rig({ holdsFailures: true, start: ["one"] });
    rig.core.onStopSignal("SIGUSR2");
    expect([rig.calls(), rig.left]).toEqual([["recall", "leave"], "SIGUSR2"]);
  });
});

describe("an engine whose START commands must succeed", () => {
  it("leaves when one fails: without the next one, a claim, or a STOP command, and with its report", () => {
    const rig = new Rig({ start: ["one", "two"], stop: ["tidy"], startMustSucceed: true });
    rig.core.begin();
    rig.end(1, { kind: "exited", code: 3 });
    expect(rig.calls()).toEqual([
      "launch 1: id 0: one",
      "recall",
      "exchange 1: reports 1 start 0 exit 3; awaits",
    ]);
    expect(rig.core.failure).toBe("PERENGINE START 0 failed (exit 3)");
    expect(rig.core.stats).toMatchObject({ state: "draining", why: "PERENGINE START 0 failed (exit 3)" });
    rig.core.onBell();
    rig.answer({ acknowledged: 1 });
    expect([rig.calls().includes("leave") || rig.exchanging, rig.left]).toEqual([true, null]);
    rig.answer({ acknowledged: 1 });
    expect(rig.left).toBe("PERENGINE START 0 failed (exit 3)");
  });

  it.each([
    [{ kind: "signalled", signal: 9 }, "signal 9"],
    [{ kind: "failedToStart", errno: 7 }, "it cannot be started: errno 7"],
    [{ kind: "lost" }, "lost"],
  ] as const)("takes %o for a failure", (outcome, text) => {
    const rig = new Rig({ start: ["one"], startMustSucceed: true });
    rig.core.begin();
    rig.end(1, outcome);
    expect(rig.core.failure).toBe(`PERENGINE START 0 failed (${text})`);
  });

  it("runs when all succeed, and whatever a STOP command does", () => {
    const rig = new Rig({ start: ["one", "two"], stop: ["tidy"], startMustSucceed: true });
    rig.core.begin();
    rig.end(1);
    rig.end(2);
    expect(rig.core.phase).toBe("running");
    rig.core.onWanted("drain");
    rig.end(3, { kind: "exited", code: 1 });
    expect(rig.core.failure).toBeNull();
  });

  it("did not fail when it was told to stop, or a signal explains the end", () => {
    const stopped = new Rig({ start: ["one"], startMustSucceed: true });
    stopped.core.begin();
    stopped.core.onWanted("stop");
    stopped.end(1, { kind: "signalled", signal: 15 }, { stopped: true });
    expect(stopped.core.failure).toBeNull();

    const signalled = new Rig({ start: ["one"], startMustSucceed: true, holdsFailures: true });
    signalled.core.begin();
    signalled.end(1, { kind: "signalled", signal: 15 });
    signalled.core.onStopSignal("SIGTERM");
    expect(signalled.core.failure).toBeNull();
    expect(signalled.calls()).toEqual([
      "launch 1: id 0: one",
      "recall",
      "exchange 1: reports 1 start 0 cancelled; awaits",
    ]);
    signalled.answer({ acknowledged: 1 });
    expect(signalled.left).toBe("SIGTERM");
  });

  it("without the flag goes on", () => {
    const rig = new Rig({ start: ["one"] });
    rig.core.begin();
    rig.end(1, { kind: "exited", code: 3 });
    expect([rig.core.phase, rig.core.failure]).toEqual(["running", null]);
  });
});

describe("an engine whose leave the store refuses", () => {
  it("gives back the claims that it does not know, and leaves then", () => {
    const rig = idleRig();
    rig.core.onWanted("drain");
    rig.calls();
    rig.core.onLeaveRefused([queued(4), queued(5)]);
    expect(rig.calls()).toEqual(["exchange 2: releases 4, 5; awaits"]);
    rig.answer({ wanted: "drain" });
    expect([rig.calls(), rig.left]).toEqual([["leave"], "retired"]);
  });
});

describe("what PERENGINE commands have of their node", () => {
  it("is their own, and stronger than what they have of the engine", () => {
    const perEngineEnv = { GPU: "0,1", DISBATCH_CORES_PER_TASK: "8" };
    const rig = new Rig({ start: ["one"], stop: ["tidy"], perEngineEnv });
    rig.core.begin();
    expect(rig.env(1)).toMatchObject(perEngineEnv);
    rig.end(1);
    rig.core.onBell();
    rig.core.onWanted("drain");
    expect(rig.env(2)).toMatchObject(perEngineEnv);
  });
});

describe("busy", () => {
  it("is an engine that runs something, or does not run tasks yet or any more", () => {
    const starting = new Rig({ start: ["one"] });
    starting.core.begin();
    expect(starting.core.busy).toBe(true);
    const rig = idleRig();
    expect([rig.core.busy, rig.core.launches]).toEqual([false, 0]);
    rig.core.onBell();
    rig.answer({ tasks: [queued(0)] });
    expect([rig.core.busy, rig.core.launches]).toEqual([true, 1]);
    rig.end(1);
    expect([rig.core.busy, rig.core.launches]).toEqual([false, 1]);
    rig.core.drain("idle");
    expect(rig.core.busy).toBe(true);
  });
});
