import { describe, expect, it } from "vitest";
import { srunFailure, srunWaits } from "../../src/core/slurm-failure.js";

// Words of srun and slurmstepd 22.05.
const noise = ["srun: cluster configuration lacks support for cpu binding"];

describe("why a step ended", () => {
  it.each<[string, readonly string[], string]>([
    [
      "node loss",
      [
        "srun: error: Node failure on node02",
        "slurmstepd-node01: error: *** STEP 1.0 ON node01 CANCELLED AT 2026-11-21T03:08:11 ***",
      ],
      "node02 is lost: Node failure on node02",
    ],
    [
      "scancel",
      [
        "srun: Force Terminated job 34",
        "srun: Job step aborted: Waiting up to 4 seconds for job step to finish.",
        "slurmstepd-node01: error: *** STEP 34.0 ON node01 CANCELLED AT 2026-11-21T03:30:22 ***",
        "srun: error: node01: task 0: Killed",
      ],
      "the step on node02 was cancelled: STEP 34.0 ON node01 CANCELLED AT 2026-11-21T03:30:22",
    ],
    [
      "the time limit",
      [
        "slurmstepd-node01: error: *** STEP 36.0 ON node01 CANCELLED AT 2026-11-21T03:31:14 DUE TO TIME LIMIT ***",
      ],
      "the job's time was up on node02: STEP 36.0 ON node01 CANCELLED AT 2026-11-21T03:31:14 DUE TO TIME LIMIT",
    ],
    [
      "preemption",
      [
        "slurmstepd-node01: error: *** STEP 36.0 ON node01 CANCELLED AT 2026-11-21T03:31:14 DUE TO PREEMPTION ***",
      ],
      "the job was preempted on node02: STEP 36.0 ON node01 CANCELLED AT 2026-11-21T03:31:14 DUE TO PREEMPTION",
    ],
    [
      "memory",
      [
        "slurmstepd: error: Detected 1 oom_kill event in StepId=1.0. Some of the step tasks have been OOM Killed.",
        "srun: error: node02: task 0: Out Of Memory",
      ],
      "memory ran out on node02: Detected 1 oom_kill event in StepId=1.0. Some of the step tasks have been OOM Killed.",
    ],
    [
      "a refused step",
      ["srun: error: Unable to create step for job 2: Invalid generic resource (gres) specification"],
      "cannot start a step on node02: Unable to create step for job 2: Invalid generic resource (gres) specification",
    ],
    [
      "anything else, the last that was said",
      ["srun: error: one", "srun: fatal: two"],
      "the step on node02 ended: two",
    ],
    ["nothing said", [], "the step on node02 ended: srun ended with exit status 1"],
  ])("is told in Slurm's words: %s", (_, lines, message) => {
    expect(srunFailure("node02", "exit status 1", [...noise, ...lines])).toBe(message);
  });
});

describe("a step that waits", () => {
  it("is known by what srun says", () => {
    const line = "srun: Job 77 step creation temporarily disabled, retrying (Requested nodes are busy)";
    expect(srunWaits(line)).toBe(
      "Job 77 step creation temporarily disabled, retrying (Requested nodes are busy)",
    );
    expect(srunWaits("srun: error: Node failure on node02")).toBeNull();
  });
});
