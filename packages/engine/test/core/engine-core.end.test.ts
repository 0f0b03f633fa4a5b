import { describe, expect, it } from "vitest";
import { queued, Rig } from "./rig.js";
import { busyRig, hurriedRig, idleRig, ids } from "./rig-states.js";

describe("an engine that drains", () => {
  it("lets what runs end, runs STOP commands one after the other, waits until all is on disk, and leaves", () => {
    const rig = busyRig({ stop: ["tidy", "sweep"] });
    rig.core.onWanted("drain");
    expect(rig.core.stats.state).toBe("draining");
    rig.end(1);
    expect(rig.calls()).toEqual(["exchange 2: reports 1 task 0 exit 0 ends 0; awaits"]);
    rig.answer({ wanted: "drain" });
    expect(rig.calls()).toEqual([]);
    rig.end(2);
    expect(rig.calls()).toEqual([
      "launch 3: id 0: tidy",
      "exchange 3: reports 2 task 1 exit 0 ends 1; awaits",
    ]);
    rig.answer({ wanted: "drain", acknowledged: 1 });
    rig.end(3);
    expect(rig.calls()).toEqual(["launch 4: id 1: sweep", "exchange 4: reports 3 stop 0 exit 0; awaits"]);
    rig.answer({ wanted: "drain", acknowledged: 2 });
    rig.end(4, { kind: "exited", code: 1 });
    expect(rig.calls()).toEqual(["exchange 5: reports 4 stop 1 exit 1; awaits"]);
    rig.answer({ wanted: "drain", acknowledged: 3 });
    expect(rig.calls()).toEqual([]);
    rig.core.onBell();
    expect(rig.calls()).toEqual(["exchange 6: awaits"]);
    rig.answer({ wanted: "drain", acknowledged: 4 });
    expect(rig.calls()).toEqual(["leave"]);
    expect(rig.core.phase).toBe("left");
  });

  it("leaves at once when nothing runs and nothing is to be acknowledged", () => {
    const rig = idleRig();
    rig.core.onWanted("drain");
    expect(rig.calls()).toEqual(["leave"]);
    rig.core.onBell();
    rig.core.onWanted("stop");
    rig.core.onAcknowledged(3);
    expect(rig.calls()).toEqual([]);
  });

  it("is told of acknowledgements by renewals too", () => {
    const rig = busyRig();
    rig.core.onWanted("drain");
    rig.end(1);
    rig.end(2);
    rig.answer({ wanted: "drain" });
    rig.answer({ wanted: "drain" });
    rig.calls();
    rig.core.onAcknowledged(1);
    expect(rig.calls()).toEqual([]);
    rig.core.onAcknowledged(2);
    expect(rig.calls()).toEqual(["leave"]);
  });

  it("asks for acknowledgements when what it handed in before the order is not on disk yet: nobody would ring it", () => {
    const rig = busyRig();
    rig.end(1);
    rig.end(2);
    rig.answer();
    rig.answer();
    rig.core.onBell();
    rig.calls();
    rig.answer({ wanted: "drain" });
    expect(rig.calls()).toEqual([expect.stringMatching(/^exchange \d: awaits$/)]);
    rig.answer({ wanted: "drain", acknowledged: 2 });
    expect(rig.calls()).toEqual(["leave"]);
  });

  it("releases what it claimed ahead and what an exchange under way still brings", () => {
    const rig = hurriedRig([2, 3, 4]);
    expect(rig.exchanging).toBe(true);
    rig.core.onWanted("drain");
    expect(rig.calls()).toEqual(["recall"]);
    rig.answer({ tasks: [queued(5)], wanted: "run" });
    expect(rig.calls()).toEqual(["recall", "exchange 4: releases 5; awaits"]);
    rig.core.onRecalled([4, 5]);
    rig.answer({ wanted: "drain", acknowledged: 1 });
    expect(rig.calls()).toEqual(["exchange 5: releases 3, 4; awaits"]);
    rig.answer({ wanted: "drain", acknowledged: 1 });
    rig.end(2);
    rig.end(3);
    rig.answer({ wanted: "drain", acknowledged: 2 });
    rig.calls();
    rig.answer({ wanted: "drain", acknowledged: 3 });
    expect(rig.calls()).toEqual(["leave"]);
  });

  it("releases what an exchange under way brings after its STOP commands have begun", () => {
    const rig = idleRig({ stop: ["tidy"] });
    rig.core.onBell();
    rig.core.onWanted("drain");
    expect(rig.calls()).toEqual(["exchange 2: wants c1*2; idle 2", "launch 1: id 0: tidy"]);
    rig.answer({ tasks: [queued(0)], wanted: "run" });
    expect(rig.calls()).toEqual(["exchange 3: releases 0; awaits"]);
  });

  it("does not run again once it drains", () => {
    const rig = busyRig();
    rig.core.onWanted("drain");
    rig.core.onWanted("run");
    rig.core.onBell();
    expect(rig.calls()).toEqual(["exchange 2: awaits"]);
    rig.answer();
    rig.end(1);
    expect(rig.calls()).toEqual(["exchange 3: reports 1 task 0 exit 0 ends 0; awaits"]);
  });

  it("waits for a START command that runs, begins no other, and runs the STOP commands", () => {
    const rig = new Rig({ start: ["one", "two"], stop: ["tidy"] });
    rig.core.begin();
    rig.core.onWanted("drain");
    rig.calls();
    rig.end(1);
    expect(rig.calls()).toEqual(["launch 2: id 0: tidy", "exchange 1: reports 1 start 0 exit 0; awaits"]);
  });
});

describe("an engine that stops", () => {
  it("stops what runs, hands it in as cancelled, runs no STOP commands, and leaves when all is acknowledged", () => {
    const rig = busyRig({ stop: ["tidy"] });
    rig.core.onWanted("stop");
    expect(rig.calls()).toEqual(["recall", "stop 1, grace 3000", "stop 2, grace 3000"]);
    rig.core.onWanted("stop");
    expect(rig.calls()).toEqual([]);
    rig.end(1, { kind: "signalled", signal: 15 }, { stopped: true });
    rig.end(2, { kind: "exited", code: 0 });
    rig.answer({ wanted: "stop" });
    expect(rig.calls()).toEqual([
      "exchange 2: reports 1 task 0 cancelled ends 0; awaits",
      "exchange 3: reports 2 task 1 exit 0 ends 1; awaits",
    ]);
    rig.answer({ wanted: "stop", acknowledged: 1 });
    expect(rig.calls()).toEqual([]);
    rig.core.onBell();
    rig.answer({ wanted: "stop", acknowledged: 2 });
    expect(rig.calls()).toEqual(["exchange 4: awaits", "leave"]);
  });

  it("releases what waits, and what an exchange under way still brings", () => {
    const rig = idleRig();
    rig.core.onBell();
    rig.core.onWanted("stop");
    rig.calls();
    // The store had answered before it heard of the stop, which came from elsewhere.
    rig.answer({ tasks: [queued(0), queued(1)], wanted: "run" });
    expect(rig.calls()).toEqual(["exchange 3: releases 0, 1; awaits"]);
    rig.answer({ wanted: "stop" });
    expect(rig.calls()).toEqual(["leave"]);
  });

  it("takes back what has no slot first, and tells to stop whatever may have one by then", () => {
    const rig = hurriedRig(ids(2, 4));
    rig.answer();
    rig.core.onWanted("stop");
    const stops = ids(2, 5).map((tag) => `stop ${tag}, grace 3000`);
    expect(rig.calls().slice(0, 5)).toEqual(["recall", ...stops]);
    rig.core.onRecalled([4, 5]);
    rig.answer({ wanted: "stop" });
    expect(rig.calls()).toEqual(["exchange 5: releases 3, 4; awaits"]);
    rig.answer({ wanted: "stop" });
    for (const tag of [2, 3]) rig.end(tag, { kind: "signalled", signal: 15 }, { stopped: true });
    rig.answer({ wanted: "stop", acknowledged: 2 });
    expect(rig.calls()).toEqual([
      "exchange 6: reports 2 task 1 cancelled ends 1; awaits",
      "exchange 7: reports 3 task 2 cancelled ends 2; awaits",
    ]);
    rig.answer({ wanted: "stop", acknowledged: 3 });
    expect(rig.calls()).toEqual(["leave"]);
  });

  it("does not leave before the launcher has told what became of all that it was given", () => {
    const rig = hurriedRig([2, 3]);
    rig.answer();
    rig.core.onWanted("stop");
    for (const tag of [2, 3]) rig.end(tag, { kind: "signalled", signal: 15 }, { stopped: true });
    for (const acknowledged of [2, 3]) rig.answer({ wanted: "stop", acknowledged });
    expect(rig.left).toBeNull();
    rig.calls();
    rig.core.onRecalled([4]);
    expect(rig.calls()).toEqual(["exchange 6: releases 3; awaits"]);
    rig.answer({ wanted: "stop", acknowledged: 3 });
    expect(rig.left).toBe("stopped");
  });

  it("goes on from draining, also while a STOP command runs", () => {
    const rig = idleRig({ stop: ["tidy"] });
    rig.core.onWanted("drain");
    rig.core.onWanted("stop");
    expect(rig.calls()).toEqual(["launch 1: id 0: tidy", "recall", "stop 1, grace 3000"]);
    rig.end(1, { kind: "signalled", signal: 15 }, { stopped: true });
    expect(rig.calls()).toEqual(["exchange 2: reports 1 stop 0 cancelled; awaits"]);
  });

  it("stops a START command, and begins no other", () => {
    const rig = new Rig({ start: ["one", "two"] });
    rig.core.begin();
    rig.core.onWanted("stop");
    rig.end(1, { kind: "signalled", signal: 15 }, { stopped: true });
    rig.answer({ wanted: "stop", acknowledged: 1 });
    expect(rig.calls()).toEqual([
      "launch 1: id 0: one",
      "recall",
      "stop 1, grace 3000",
      "exchange 1: reports 1 start 0 cancelled; awaits",
      "leave",
    ]);
  });

  it("asks for acknowledgements of what it handed in before", () => {
    const rig = busyRig();
    rig.end(1);
    rig.end(2);
    rig.answer();
    rig.answer();
    rig.calls();
    rig.core.onWanted("stop");
    expect(rig.calls()).toEqual(["recall", expect.stringMatching(/^exchange \d: awaits$/)]);
    rig.answer({ wanted: "stop", acknowledged: 2 });
    expect(rig.calls()).toEqual(["leave"]);
  });

  it("hurries when told again with less grace", () => {
    const rig = busyRig();
    rig.core.onWanted("stop");
    rig.calls();
    rig.core.stopTasks(0);
    expect(rig.calls()).toEqual(["recall", "stop 1, grace 0", "stop 2, grace 0"]);
  });
});
