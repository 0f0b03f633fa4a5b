import { describe, expect, it } from "vitest";
import { retireEnvironment, slurmWouldShrink } from "../../src/core/retire-environment.js";

const request = {
  now: [
    { host: "n4", exitStatus: 0 },
    { host: "n2", exitStatus: -9 },
  ],
  active: ["n1", "n3"],
  retired: ["n5", "n4", "n2"],
  ownNode: null,
};

describe("the environment of a retire command", () => {
  it("has the node under both names, and lists in order", () => {
    expect(retireEnvironment(request)).toEqual({
      NODE: "n4,n2",
      NODES: "n4,n2",
      RETCODES: "0,-9",
      ACTIVE: "n1,n3",
      RETIRED: "n5,n4,n2",
    });
  });

  it("names the node that we are on ourselves only when no engine is there any more", () => {
    expect(retireEnvironment({ ...request, ownNode: "n1" })).not.toHaveProperty("DRIVER_NODE");
    expect(retireEnvironment({ ...request, ownNode: "n5" })).toMatchObject({ DRIVER_NODE: "n5" });
  });
});

describe("a Slurm job", () => {
  it("gets smaller when a node becomes free that is not ours, as long as others stay", () => {
    expect(slurmWouldShrink(request)).toBe(true);
    expect(slurmWouldShrink({ ...request, ownNode: "n4" })).toBe(true);
    expect(slurmWouldShrink({ ...request, now: request.now.slice(0, 1), ownNode: "n4" })).toBe(false);
    expect(slurmWouldShrink({ ...request, active: [] })).toBe(false);
  });
});
