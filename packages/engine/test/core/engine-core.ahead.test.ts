import { describe, expect, it } from "vitest";
import { queued } from "./rig.js";
import { busyRig, hurriedRig, idleRig, ids } from "./rig-states.js";

describe("an engine whose tasks are over in no time", () => {
  it("claims ahead what they run in a moment, and lets it wait for a slot", () => {
    const rig = busyRig();
    rig.end(1, { kind: "exited", code: 0 }, { elapsed: 0.001 });
    rig.answer({ tasks: [queued(2), queued(3)] }, { tripMs: 100 });
    expect(rig.calls()).toEqual([
      "exchange 2: reports 1 task 0 exit 0 ends 0; wants c1*41; idle 1",
      "launch 3: id 2, slot 0: task 2",
      "remind",
      "exchange 3: wants c1*39",
    ]);
  });

  it("holds reports back while there is enough to run, and hands them in together when it is reminded", () => {
    const rig = hurriedRig(ids(2, 32));
    expect(rig.exchanging).toBe(false);
    for (const tag of [2, 3, 4]) rig.end(tag, { kind: "exited", code: 0 }, { elapsed: 0.001 });
    expect(rig.calls()).toEqual([
      "launch 4: id 3, slot 1: task 3",
      "launch 5: id 4, slot 0: task 4",
      "launch 6: id 5, slot 1: task 5",
    ]);
    rig.core.onReminder();
    const reports = "reports 2 task 1 exit 0 ends 1, 3 task 2 exit 0 ends 2, 4 task 3 exit 0 ends 3";
    expect(rig.calls()).toEqual(["remind", `exchange 3: ${reports}; wants c1*13`]);
  });

  it("holds nothing back when little waits, or nothing", () => {
    const rig = hurriedRig(ids(2, 4));
    rig.answer({}, { tripMs: 100 });
    rig.end(2, { kind: "exited", code: 0 }, { elapsed: 0.001 });
    expect(rig.calls()).toEqual([
      "launch 4: id 3, slot 1: task 3",
      "exchange 4: reports 2 task 1 exit 0 ends 1; wants c1*39",
    ]);
  });

  it("hands back what waits when none of it was started for a while, and claims what is free only", () => {
    for (const waiting of [1, 30]) {
      const rig = hurriedRig(ids(2, 2 + waiting));
      if (rig.exchanging) rig.answer({}, { tripMs: 100 });
      rig.calls();
      rig.core.onReminder();
      const releases = ids(3, 2 + waiting).join(", ");
      expect(rig.calls()).toEqual([`exchange ${rig.request.seq}: releases ${releases}`]);
      rig.answer();
      rig.core.onBell();
      expect(rig.calls()).toEqual([`exchange ${rig.request.seq}: `]);
      rig.answer();
      rig.end(2, { kind: "exited", code: 0 }, { elapsed: 60 });
      expect(rig.calls()).toEqual([
        `exchange ${rig.request.seq}: reports 2 task 1 exit 0 ends 1; wants c1*1; idle 1`,
      ]);
    }
  });

  it("goes on looking as long as something waits, also when tasks become long after the first look", () => {
    const rig = hurriedRig(ids(2, 6));
    rig.answer({}, { tripMs: 100 });
    rig.end(2, { kind: "exited", code: 0 }, { elapsed: 0.001 });
    rig.answer({}, { tripMs: 100 });
    rig.calls();
    rig.core.onReminder();
    expect(rig.calls()).toEqual(["remind"]);
    rig.core.onReminder();
    expect(rig.calls()).toEqual(["exchange 5: releases 4, 5, 6"]);
    rig.answer();
    expect(rig.calls()).toEqual([]);
  });

  it("is not disturbed by a reminder when nothing waits, or after it has left", () => {
    const rig = idleRig();
    rig.core.onReminder();
    expect(rig.calls()).toEqual([]);
    rig.core.onWanted("drain");
    expect(rig.calls()).toEqual(["leave"]);
    rig.core.onReminder();
    expect(rig.calls()).toEqual([]);
  });
});
