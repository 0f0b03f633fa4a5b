import { describe, expect, it } from "vitest";
import { slotEnvironment, taskEnvironment, zeroPadded } from "../../src/core/environment.js";

const run = { jobId: "tasks_disBatch_261120_007", nameTasks: "tasks", prefix: "/w/tasks" };

describe("what a task finds", () => {
  it("is what disBatch gives it, and the name of the run: a part of its own and a part of its slot", () => {
    const place = { engineRank: 3, coresPerTask: 2 };
    const task = { id: 1_234_567, line: 42, repeatIndex: 8 };
    expect({ ...taskEnvironment(task), ...slotEnvironment(run, place, 11) }).toEqual({
      DISBATCH_JOBID: "tasks_disBatch_261120_007",
      DISBATCH_NAMETASKS: "tasks",
      DISBATCH_TASKID: "1234567",
      DISBATCH_TASKID_ZP: "1234567",
      DISBATCH_STREAM_INDEX: "42",
      DISBATCH_STREAM_INDEX_ZP: "000042",
      DISBATCH_REPEAT_INDEX: "8",
      DISBATCH_REPEAT_INDEX_ZP: "000008",
      DISBATCH_CORES_PER_TASK: "2",
      DISBATCH_CYLINDER_RANK: "11",
      DISBATCH_ENGINE_RANK: "3",
      TASKMUSTER_RUN: "/w/tasks",
    });
  });

  it("is never in both parts: neither depends on the other", () => {
    const ofTask = Object.keys(taskEnvironment({ id: 0, line: 1, repeatIndex: -1 }));
    const ofSlot = Object.keys(slotEnvironment(run, { engineRank: 0, coresPerTask: 1 }, 0));
    expect(ofTask.filter((name) => ofSlot.includes(name))).toEqual([]);
  });

  it("has a repeat index of -1 outside REPEAT", () => {
    expect(taskEnvironment({ id: 0, line: 1, repeatIndex: -1 })).toEqual({
      DISBATCH_TASKID: "0",
      DISBATCH_TASKID_ZP: "000000",
      DISBATCH_STREAM_INDEX: "1",
      DISBATCH_STREAM_INDEX_ZP: "000001",
      DISBATCH_REPEAT_INDEX: "-1",
      DISBATCH_REPEAT_INDEX_ZP: "-00001",
    });
  });

  it("has a cylinder of -1 outside a slot", () => {
    expect(slotEnvironment(run, { engineRank: 0, coresPerTask: 0 }, -1)).toMatchObject({
      DISBATCH_CYLINDER_RANK: "-1",
      DISBATCH_CORES_PER_TASK: "0",
    });
  });
});

describe("zeroPadded", () => {
  it("is Python's {:06d}", () => {
    const shown = [0, 7, 999_999, 1_000_000, -1, -99_999, -100_000].map(zeroPadded);
    expect(shown).toEqual(["000000", "000007", "999999", "1000000", "-00001", "-99999", "-100000"]);
  });
});
