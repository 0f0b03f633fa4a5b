import { describe, expect, it } from "vitest";
import { queued } from "./rig.js";
import { busyRig, hurriedRig, idleRig, ids, mostAhead } from "./rig-states.js";

describe("an engine whose tasks are over in no time", () => {
  it("claims ahead what they run in a moment, and leaves it to the launcher which slot it has", () => {
    const rig = busyRig({ mostAhead });
    rig.endAtOnce(1);
    rig.answer({ tasks: [queued(2), queued(3)] });
    expect(rig.calls()).toEqual([
      "exchange 2: reports 1 task 0 exit 0 ends 0; wants c1*81; idle 1",
      "enqueue 3: id 2: task 2",
      "enqueue 4: id 3: task 3",
      "remind",
      "exchange 3: wants c1*79",
    ]);
    expect(rig.core.stats.busy).toBe(2);
  });

  it("claims no more ahead than it was told", () => {
    const rig = busyRig({ mostAhead: 3 });
    rig.endAtOnce(1);
    expect(rig.calls()).toEqual(["exchange 2: reports 1 task 0 exit 0 ends 0; wants c1*4; idle 1"]);
    const none = busyRig({ mostAhead: 0 });
    none.endAtOnce(1, 2);
    expect(none.request.wants).toMatchObject([{ max: 2 }]);
  });

  it("holds reports back while there is enough to run, and hands them in together when it is reminded", () => {
    const rig = hurriedRig(ids(2, 62));
    expect(rig.exchanging).toBe(false);
    rig.endAtOnce(2);
    rig.endAtOnce(3, 4);
    expect(rig.calls()).toEqual([]);
    rig.core.onReminder();
    const reports = "reports 2 task 1 exit 0 ends 1, 3 task 2 exit 0 ends 2, 4 task 3 exit 0 ends 3";
    expect(rig.calls()).toEqual(["remind", `exchange 3: ${reports}; wants c1*23`]);
  });

  it("hands them in, and claims, as soon as a quarter of what it wants to have ahead is left", () => {
    const rig = hurriedRig(ids(2, 62));
    rig.endAtOnce(...ids(2, 40));
    expect(rig.calls()).toEqual([]);
    rig.endAtOnce(41);
    expect(rig.request.reports).toHaveLength(40);
    expect(rig.request.wants).toMatchObject([{ max: 60 }]);
  });

  it("hands them in when there are half as many as one trip takes", () => {
    const rig = hurriedRig(ids(2, 62), { maxReports: 6 });
    rig.endAtOnce(2, 3);
    expect(rig.calls()).toEqual([]);
    rig.endAtOnce(4);
    expect(rig.request.reports).toHaveLength(3);
  });

  it("holds nothing back when little waits, or nothing, and hands in at once what ended at once", () => {
    const rig = hurriedRig(ids(2, 4));
    rig.answer();
    rig.endAtOnce(2);
    expect(rig.calls()).toEqual(["exchange 4: reports 2 task 1 exit 0 ends 1; wants c1*79"]);
    rig.answer();
    rig.endAtOnce(3, 4);
    expect(rig.calls()).toEqual([
      "exchange 5: reports 3 task 2 exit 0 ends 2, 4 task 3 exit 0 ends 3; wants c1*81; idle 1",
    ]);
  });

  it("hands back what waits when nothing has ended for a while, and claims what is free only", () => {
    for (const waiting of [1, 60]) {
      const rig = hurriedRig(ids(2, 2 + waiting));
      if (rig.exchanging) rig.answer();
      rig.calls();
      rig.core.onReminder();
      expect(rig.calls()).toEqual(["recall", "remind"]);
      rig.core.onRecalled(ids(4, 3 + waiting));
      const releases = ids(3, 2 + waiting).join(", ");
      expect(rig.calls()).toEqual([`exchange ${rig.request.seq}: releases ${releases}`]);
      rig.answer();
      rig.core.onReminder();
      rig.core.onBell();
      expect(rig.calls()).toEqual([`exchange ${rig.request.seq}: `]);
      rig.answer();
      rig.end(2, { kind: "exited", code: 0 }, { elapsed: 60 });
      expect(rig.calls()).toEqual([
        `exchange ${rig.request.seq}: reports 2 task 1 exit 0 ends 1; wants c1*1; idle 1`,
      ]);
    }
  });

  it("keeps what began although it was recalled, and hands back the rest", () => {
    const rig = hurriedRig(ids(2, 5));
    rig.answer();
    rig.core.onReminder();
    rig.calls();
    // Task 1 ended, and task 3 was started in its slot, before the launcher heard of the recall.
    rig.end(2, { kind: "exited", code: 0 }, { elapsed: 60 });
    rig.core.onRecalled([5, 6]);
    expect(rig.calls()).toEqual(["exchange 4: reports 2 task 1 exit 0 ends 1; releases 4, 5"]);
    rig.answer();
    expect(rig.core.stats.busy).toBe(2);
    for (const tag of [3, 4]) rig.end(tag, { kind: "exited", code: 0 }, { elapsed: 60 });
    rig.answer();
    expect(rig.calls()).toEqual([
      "exchange 5: reports 3 task 2 exit 0 ends 2; wants c1*1; idle 1",
      "exchange 6: reports 4 task 3 exit 0 ends 3; wants c1*2; idle 2",
    ]);
  });

  it("goes on looking as long as something waits, also when tasks become long after the first look", () => {
    const rig = hurriedRig(ids(2, 6));
    rig.answer();
    rig.endAtOnce(2);
    rig.answer();
    rig.calls();
    rig.core.onReminder();
    expect(rig.calls()).toEqual(["remind"]);
    rig.core.onReminder();
    expect(rig.calls()).toEqual(["recall", "remind"]);
    rig.core.onRecalled([5, 6, 7]);
    expect(rig.calls()).toEqual(["exchange 5: releases 4, 5, 6"]);
    rig.answer();
    rig.core.onReminder();
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
