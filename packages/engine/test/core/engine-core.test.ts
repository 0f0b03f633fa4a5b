import { decodeReport, needsKey } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { oneCore, queued, Rig, type RigOptions } from "./rig.js";

/** An engine that runs and has been told that there is nothing to do. */
function idleRig(options: RigOptions = {}): Rig {
  const rig = new Rig(options);
  rig.core.begin();
  rig.answer();
  rig.calls();
  return rig;
}

/** An engine with two slots that runs tasks 0 and 1 (tags 1 and 2), with no exchange under way. */
function busyRig(options: RigOptions = {}): Rig {
  const rig = new Rig(options);
  rig.core.begin();
  rig.answer({ tasks: [queued(0), queued(1)] });
  rig.calls();
  return rig;
}

describe("an engine that starts", () => {
  it("runs START commands one after the other, in no slot, before it claims", () => {
    const rig = new Rig({ start: ["one", "two"] });
    rig.core.begin();
    expect(rig.calls()).toEqual(["launch 1: id 0, slot -1: one"]);
    rig.end(1, { kind: "exited", code: 3 });
    expect(rig.calls()).toEqual([
      "launch 2: id 1, slot -1: two",
      "exchange 1: reports 1 start 0 exit 3; awaits",
    ]);
    rig.answer();
    rig.core.onBell();
    expect(rig.calls().filter((call) => call.includes("wants"))).toEqual([]);
    if (rig.exchanging) rig.answer();
    rig.calls();
    rig.end(2);
    expect(rig.calls()).toEqual([
      expect.stringMatching(/^exchange \d: reports 2 start 1 exit 0; wants c1\*2; idle 2$/),
    ]);
    expect(rig.core.phase).toBe("running");
  });

  it("hands the report of a START command in while the next one runs, even if an exchange was under way", () => {
    const rig = new Rig({ start: ["one", "two", "three"] });
    rig.core.begin();
    rig.end(1);
    rig.end(2);
    rig.calls();
    rig.answer();
    expect(rig.calls()).toEqual(["exchange 2: reports 2 start 1 exit 0; awaits"]);
  });

  it("gives PERENGINE commands the line of the list and cylinder -1", () => {
    const rig = new Rig({ start: ["one"] });
    rig.core.begin();
    expect(rig.env(1)).toMatchObject({
      DISBATCH_TASKID: "0",
      DISBATCH_STREAM_INDEX: "1",
      DISBATCH_REPEAT_INDEX: "-1",
      DISBATCH_CYLINDER_RANK: "-1",
      DISBATCH_ENGINE_RANK: "7",
    });
  });

  it("claims at once for all its slots when there is nothing to start", () => {
    const rig = new Rig({ slots: 3 });
    rig.core.begin();
    expect(rig.calls()).toEqual(["exchange 1: wants c1*3; idle 3"]);
  });

  it("asks again when it learns of needs that it did not know, as it could not have claimed those", () => {
    const rig = new Rig({ needs: [] });
    rig.core.begin();
    expect(rig.calls()).toEqual(["exchange 1: idle 2"]);
    rig.answer();
    expect(rig.calls()).toEqual([]);
    rig.core.onBell();
    expect(rig.calls()).toEqual(["exchange 2: idle 2"]);
    rig.answer({}, { needs: [oneCore] });
    expect(rig.calls()).toEqual(["exchange 3: wants c1*2; idle 2"]);
    rig.answer({}, { needs: [oneCore, needsKey({ cores: 2 })] });
    expect(rig.calls()).toEqual(["exchange 4: wants c1*2, c2*2; idle 2"]);
    rig.answer();
    expect(rig.calls()).toEqual([]);
  });
});

describe("an engine that runs", () => {
  it("starts what it claimed in its lowest slots, and asks for no more than is free", () => {
    const rig = new Rig({ slots: 3 });
    rig.core.begin();
    rig.calls();
    rig.answer({ tasks: [queued(4), queued(5)] });
    expect(rig.calls()).toEqual([
      "launch 1: id 4, slot 0: task 4",
      "launch 2: id 5, slot 1: task 5",
      "exchange 2: wants c1*1; idle 1",
    ]);
    expect(rig.core.stats).toEqual({ state: "running", busy: 2, done: 0, failed: 0 });
  });

  it("hands a result in and claims in the same exchange", () => {
    const rig = busyRig();
    rig.end(1);
    expect(rig.calls()).toEqual(["exchange 2: reports 1 task 0 exit 0 ends 0; wants c1*1; idle 1"]);
    rig.answer({ tasks: [queued(2)] });
    expect(rig.calls()).toEqual(["launch 3: id 2, slot 0: task 2"]);
  });

  it("batches what ends while an exchange is under way", () => {
    const rig = busyRig({ slots: 4 });
    rig.answer({ tasks: [queued(2), queued(3)] });
    rig.calls();
    rig.end(1);
    expect(rig.calls()).toEqual(["exchange 3: reports 1 task 0 exit 0 ends 0; wants c1*1; idle 1"]);
    rig.end(3, { kind: "signalled", signal: 9 });
    rig.end(2);
    rig.end(4, { kind: "failedToStart", errno: 7 });
    expect(rig.calls()).toEqual([]);
    rig.answer();
    expect(rig.calls()).toEqual([
      "exchange 4: reports 2 task 2 signal 9 ends 2, 3 task 1 exit 0 ends 1, 4 task 3 errno 7 ends 3; wants c1*4; idle 4",
    ]);
    expect(rig.core.stats).toEqual({ state: "running", busy: 0, done: 4, failed: 2 });
  });

  it("hands in no more reports at a time than the bound", () => {
    const rig = busyRig({ slots: 5, maxReports: 2 });
    rig.answer({ tasks: [queued(2), queued(3), queued(4)] });
    for (const tag of [1, 2, 3, 4, 5]) rig.end(tag);
    rig.calls();
    rig.answer();
    expect(rig.request.reports.map(({ number }) => number)).toEqual([2, 3]);
    rig.answer();
    expect(rig.request.reports.map(({ number }) => number)).toEqual([4, 5]);
  });

  it("does not ask again when there was nothing, until the bell rings", () => {
    const rig = idleRig();
    rig.core.onAcknowledged(0);
    rig.core.onWanted("run");
    expect(rig.calls()).toEqual([]);
    rig.core.onBell();
    expect(rig.calls()).toEqual(["exchange 2: wants c1*2; idle 2"]);
  });

  it("remembers a bell that rings during an exchange", () => {
    const rig = idleRig();
    rig.core.onBell();
    rig.core.onBell();
    rig.calls();
    rig.answer();
    expect(rig.calls()).toEqual(["exchange 3: wants c1*2; idle 2"]);
    rig.answer();
    expect(rig.calls()).toEqual([]);
  });

  it("looks why the bell rang although all slots are busy: it may be an order", () => {
    const rig = busyRig();
    rig.core.onBell();
    expect(rig.calls()).toEqual(["exchange 2: "]);
    rig.answer({ wanted: "stop" });
    expect(rig.calls()).toContain("stop 1, grace 3000");
  });

  it("gives each task its numbers, and tells its own cylinder", () => {
    const rig = busyRig();
    expect(rig.env(2)).toMatchObject({
      DISBATCH_TASKID: "1",
      DISBATCH_STREAM_INDEX: "2",
      DISBATCH_CYLINDER_RANK: "1",
      DISBATCH_ENGINE_RANK: "7",
      DISBATCH_JOBID: "job",
    });
  });

  it("passes over the end of a tag that is not running", () => {
    const rig = busyRig();
    rig.end(9);
    rig.end(1);
    rig.calls();
    rig.end(1);
    rig.answer();
    expect(rig.calls()).toEqual([]);
    expect(rig.core.stats.busy).toBe(1);
  });

  it("tells last words of failed tasks only, and what the launcher told of all", () => {
    const rig = busyRig({ slots: 2 });
    const lastWords = Buffer.from("oh no");
    rig.end(1, { kind: "exited", code: 0 }, { lastWords });
    const report = decodeReport(rig.request.reports[0]?.body ?? lastWords);
    expect(report).toMatchObject({
      kind: "task",
      id: 0,
      attempt: 1,
      host: "vm",
      pid: 1001,
      start: 1,
      end: 2,
      elapsed: 1,
    });
    expect(report.lastWords).toHaveLength(0);
    rig.end(2, { kind: "exited", code: 1 }, { lastWords });
    rig.answer();
    expect(decodeReport(rig.request.reports[0]?.body ?? lastWords).lastWords).toEqual(lastWords);
  });

  it("tells a task that we stopped as cancelled, whatever its shell made of the signal", () => {
    const rig = busyRig();
    rig.end(1, { kind: "signalled", signal: 15 }, { stopped: true });
    expect(rig.calls()).toEqual(["exchange 2: reports 1 task 0 cancelled ends 0; wants c1*1; idle 1"]);
    expect(rig.core.stats.failed).toBe(0);
  });

  it("names the attempt that it ran", () => {
    const rig = idleRig();
    rig.core.onBell();
    rig.answer({ tasks: [queued(3, "again", 2)] });
    rig.answer();
    rig.calls();
    rig.end(1);
    expect(rig.calls()).toEqual(["exchange 4: reports 1 task 3.2 exit 0 ends 3; wants c1*2; idle 2"]);
  });
});

/**
 * An engine with two slots whose tasks are over in 1 ms. It has claimed `ids`: the first runs with task 1 (tags 3 and 2), the others
 * wait. Unless they are many, an exchange for more is under way.
 */
function hurriedRig(ids: readonly number[]): Rig {
  const rig = busyRig();
  rig.end(1, { kind: "exited", code: 0 }, { elapsed: 0.001 });
  rig.answer({ tasks: ids.map((id) => queued(id)) }, { tripMs: 100 });
  rig.calls();
  return rig;
}

const ids = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

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
      "launch 3: id 0, slot -1: tidy",
      "exchange 3: reports 2 task 1 exit 0 ends 1; awaits",
    ]);
    rig.answer({ wanted: "drain", acknowledged: 1 });
    rig.end(3);
    expect(rig.calls()).toEqual([
      "launch 4: id 1, slot -1: sweep",
      "exchange 4: reports 3 stop 0 exit 0; awaits",
    ]);
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
    rig.answer({ tasks: [queued(5)], wanted: "run" });
    expect(rig.calls()).toEqual(["exchange 4: releases 3, 4, 5; awaits"]);
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
    expect(rig.calls()).toEqual(["exchange 2: wants c1*2; idle 2", "launch 1: id 0, slot -1: tidy"]);
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
    expect(rig.calls()).toEqual([
      "launch 2: id 0, slot -1: tidy",
      "exchange 1: reports 1 start 0 exit 0; awaits",
    ]);
  });
});

describe("an engine that stops", () => {
  it("stops what runs, hands it in as cancelled, runs no STOP commands, and leaves when all is acknowledged", () => {
    const rig = busyRig({ stop: ["tidy"] });
    rig.core.onWanted("stop");
    expect(rig.calls()).toEqual(["stop 1, grace 3000", "stop 2, grace 3000"]);
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

  it("goes on from draining, also while a STOP command runs", () => {
    const rig = idleRig({ stop: ["tidy"] });
    rig.core.onWanted("drain");
    rig.core.onWanted("stop");
    expect(rig.calls()).toEqual(["launch 1: id 0, slot -1: tidy", "stop 1, grace 3000"]);
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
      "launch 1: id 0, slot -1: one",
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
    expect(rig.calls()).toEqual([expect.stringMatching(/^exchange \d: awaits$/)]);
    rig.answer({ wanted: "stop", acknowledged: 2 });
    expect(rig.calls()).toEqual(["leave"]);
  });

  it("hurries when told again with less grace", () => {
    const rig = busyRig();
    rig.core.onWanted("stop");
    rig.calls();
    rig.core.stopTasks(0);
    expect(rig.calls()).toEqual(["stop 1, grace 0", "stop 2, grace 0"]);
  });
});

describe("idle", () => {
  it("is an engine that runs nothing and has nothing to hand in", () => {
    const rig = busyRig();
    expect(rig.core.idle).toBe(false);
    rig.end(1);
    rig.end(2);
    expect(rig.core.idle).toBe(false);
    rig.answer();
    expect(rig.core.idle).toBe(false);
    rig.answer();
    expect(rig.core.idle).toBe(true);
  });
});
