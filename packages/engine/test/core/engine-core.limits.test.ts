import { describe, expect, it } from "vitest";
import { queued, Rig } from "./rig.js";
import { busyRig } from "./rig-states.js";

const refused = { kind: "failedToStart", errno: 11 } as const;

function seconds(rig: Rig, count: number): void {
  for (let second = 0; second < count; second++) rig.core.onSecond();
}

describe("an engine whose node does not start a task", () => {
  it("hands it back, with no report, and claims nothing until half of what runs has ended", () => {
    const rig = busyRig({ slots: 4 });
    rig.answer({ tasks: [queued(2), queued(3)] });
    rig.calls();
    rig.end(4, refused);
    expect(rig.calls()).toEqual(["exchange 3: releases 3"]);
    expect(rig.core.stats).toMatchObject({ outOf: "processes", usable: 1, busy: 3, done: 0, failed: 0 });
    rig.answer();
    rig.end(1);
    expect(rig.calls()).toEqual(["exchange 4: reports 1 task 0 exit 0 ends 0"]);
    rig.answer();
    rig.end(2);
    rig.answer();
    rig.calls();
    rig.end(3);
    expect(rig.calls()).toEqual(["exchange 6: reports 3 task 2 exit 0 ends 2; wants c1*1; idle 1"]);
  });

  it("takes back what waits for a slot", () => {
    const rig = busyRig();
    rig.endAtOnce(1, 2);
    rig.answer({ tasks: [queued(2), queued(3), queued(4), queued(5)] });
    rig.calls();
    rig.end(3, refused);
    expect(rig.calls()).toContain("recall");
    rig.core.onRecalled([5, 6]);
    if (rig.exchanging) rig.answer();
    expect(rig.calls().join("; ")).toMatch(/releases (2, )?4, 5|releases 2.*releases 4, 5/);
    expect(rig.core.stats).toMatchObject({ busy: 1, usable: 1 });
  });

  it("hands back what comes with an exchange that was under way", () => {
    const rig = busyRig({ slots: 4 });
    rig.end(1, refused);
    rig.end(2, refused);
    rig.answer({ tasks: [queued(2), queued(3)] });
    expect(rig.calls().at(-1)).toMatch(/^exchange 3: releases 0, 1, 2, 3/);
    expect(rig.core.stats).toMatchObject({ usable: 0, busy: 0 });
  });

  it("tries one after a while although nothing runs, and more when that one runs", () => {
    const rig = new Rig({ slots: 4 });
    rig.core.begin();
    rig.answer({ tasks: [queued(0)] });
    rig.calls();
    if (rig.exchanging) rig.answer();
    rig.end(1, refused);
    rig.answer();
    rig.core.onBell();
    rig.answer();
    rig.calls();
    seconds(rig, 4);
    expect(rig.calls()).toEqual([]);
    seconds(rig, 1);
    expect(rig.calls()).toEqual([expect.stringMatching(/^exchange \d: wants c1\*1; idle 1$/)]);
    rig.answer({ tasks: [queued(0)] });
    expect(rig.calls()).toEqual(["enqueue 2: id 0: task 0"]);
    expect(rig.core.stats).toMatchObject({ usable: 0, outOf: "processes" });
    seconds(rig, 5);
    expect(rig.calls()).toEqual([expect.stringMatching(/^exchange \d: wants c1\*1; idle 1$/)]);
    expect(rig.core.stats).toMatchObject({ usable: 2 });
  });

  it("starts START commands later, and does not run tasks before", () => {
    const rig = new Rig({ start: ["one", "two"], startMustSucceed: true });
    rig.core.begin();
    rig.end(1, refused);
    expect([rig.calls(), rig.core.phase, rig.core.failure]).toEqual([
      ["launch 1: id 0: one"],
      "starting",
      null,
    ]);
    seconds(rig, 5);
    expect(rig.calls()).toEqual(["launch 2: id 0: one"]);
    rig.end(2);
    expect(rig.calls()[0]).toBe("launch 3: id 1: two");
  });

  it("does not wait for STOP commands that cannot be started", () => {
    const rig = new Rig({ stop: ["tidy"] });
    rig.core.begin();
    rig.answer();
    rig.core.drain("idle");
    rig.calls();
    rig.end(1, refused);
    expect(rig.calls().at(-1)).toMatch(/reports 1 stop 0 errno 11/);
  });

  it("hands back what could not be started also while it stops", () => {
    const rig = busyRig();
    rig.core.stop("SIGTERM");
    rig.end(1, refused);
    rig.end(2, { kind: "signalled", signal: 15 }, { stopped: true });
    while (rig.exchanging) rig.answer({ acknowledged: 9 });
    expect(rig.calls().join("; ")).toContain("releases 0");
    expect(rig.left).toBe("SIGTERM");
  });

  it.each([7, 2, 13, 200])("has nothing to do with errno %i, which is the task's own", (errno) => {
    const rig = busyRig();
    rig.end(1, { kind: "failedToStart", errno });
    expect(rig.calls()).toEqual([`exchange 2: reports 1 task 0 errno ${errno} ends 0; wants c1*1; idle 1`]);
    expect(rig.core.stats).toMatchObject({ outOf: "", failed: 1 });
  });
});
