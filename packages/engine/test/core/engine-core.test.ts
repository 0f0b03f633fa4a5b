import { decodeReport, needsKey } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { oneCore, queued, Rig, unlimited } from "./rig.js";
import { busyRig, idleRig } from "./rig-states.js";

describe("an engine that starts", () => {
  it("runs START commands one after the other, in no slot, before it claims", () => {
    const rig = new Rig({ start: ["one", "two"] });
    rig.core.begin();
    expect(rig.calls()).toEqual(["launch 1: id 0: one"]);
    rig.end(1, { kind: "exited", code: 3 });
    expect(rig.calls()).toEqual(["launch 2: id 1: two", "exchange 1: reports 1 start 0 exit 3; awaits"]);
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
      DISBATCH_JOBID: "job",
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
  it("enqueues what it claimed in the order of the claim, and asks for no more than is free", () => {
    const rig = new Rig({ slots: 3 });
    rig.core.begin();
    rig.calls();
    rig.answer({ tasks: [queued(4), queued(5)] });
    expect(rig.calls()).toEqual([
      "enqueue 1: id 4: task 4",
      "enqueue 2: id 5: task 5",
      "exchange 2: wants c1*1; idle 1",
    ]);
    expect(rig.core.stats).toEqual({ ...unlimited(3), busy: 2, done: 0, failed: 0 });
  });

  it("hands a result in and claims in the same exchange", () => {
    const rig = busyRig();
    rig.end(1);
    expect(rig.calls()).toEqual(["exchange 2: reports 1 task 0 exit 0 ends 0; wants c1*1; idle 1"]);
    rig.answer({ tasks: [queued(2)] });
    expect(rig.calls()).toEqual(["enqueue 3: id 2: task 2"]);
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
    expect(rig.core.stats).toEqual({ ...unlimited(4), busy: 0, done: 4, failed: 2 });
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

  it("gives each task its numbers; the rest comes from its slot", () => {
    const rig = busyRig();
    expect(rig.env(2)).toEqual({
      DISBATCH_TASKID: "1",
      DISBATCH_TASKID_ZP: "000001",
      DISBATCH_STREAM_INDEX: "2",
      DISBATCH_STREAM_INDEX_ZP: "000002",
      DISBATCH_REPEAT_INDEX: "-1",
      DISBATCH_REPEAT_INDEX_ZP: "-00001",
    });
  });

  it("hands back what the launcher could not start, and did not ask it for", () => {
    const rig = busyRig({ slots: 3 });
    rig.answer({ tasks: [queued(2)] });
    rig.calls();
    rig.core.onRecalled([2, 3]);
    expect(rig.calls()).toEqual(["exchange 3: releases 1, 2; wants c1*2; idle 2"]);
    expect(rig.core.stats.busy).toBe(1);
    rig.end(2);
    rig.core.onRecalled([2, 3, 99]);
    rig.answer();
    expect(rig.calls()).toEqual([]);
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
