import { describe, expect, it } from "vitest";
import { slotPlaces } from "../src/slot-places.js";

const run = { jobId: "job", nameTasks: "tasks", prefix: "/w/job" };
const engine = { engineRank: 4, coresPerTask: 2 };

describe("what the launcher gives to each slot", () => {
  it("is who and where it is, its share of the node, and its CPUs", () => {
    const shares = [
      { env: { GPU: "0" }, cpus: [0, 1] },
      { env: { GPU: "1" }, cpus: [2, 3] },
    ];
    const places = slotPlaces(run, engine, { slots: 2, shares });
    expect(places).toEqual([
      {
        env: {
          DISBATCH_JOBID: "job",
          DISBATCH_NAMETASKS: "tasks",
          DISBATCH_CORES_PER_TASK: "2",
          DISBATCH_CYLINDER_RANK: "0",
          DISBATCH_ENGINE_RANK: "4",
          TASKMUSTER_RUN: "/w/job",
          GPU: "0",
        },
        cpus: [0, 1],
      },
      { env: expect.objectContaining({ DISBATCH_CYLINDER_RANK: "1", GPU: "1" }), cpus: [2, 3] },
    ]);
  });

  it("is the same without a share of its own where nothing is divided", () => {
    const places = slotPlaces(run, engine, { slots: 3, shares: [] });
    expect(places.map(({ env, cpus }) => [env["DISBATCH_CYLINDER_RANK"], cpus])).toEqual([
      ["0", undefined],
      ["1", undefined],
      ["2", undefined],
    ]);
  });
});
