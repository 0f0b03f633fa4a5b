import { describe, expect, it } from "vitest";
import { taskEnvironment, zeroPadded } from "../../src/core/environment.js";

const run = { jobId: "tasks_disBatch_261120_007", nameTasks: "tasks" };

describe("taskEnvironment", () => {
  it("is what disBatch gives to a task, and nothing more", () => {
    const place = { engineRank: 3, cylinderRank: 11, coresPerTask: 2 };
    expect(taskEnvironment(run, place, { id: 1_234_567, line: 42, repeatIndex: 8 })).toEqual({
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
    });
  });

  it("has a repeat index of -1 outside REPEAT, and a cylinder of -1 outside a slot", () => {
    const place = { engineRank: 0, cylinderRank: -1, coresPerTask: 0 };
    expect(taskEnvironment(run, place, { id: 0, line: 1, repeatIndex: -1 })).toMatchObject({
      DISBATCH_TASKID_ZP: "000000",
      DISBATCH_REPEAT_INDEX: "-1",
      DISBATCH_REPEAT_INDEX_ZP: "-00001",
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
