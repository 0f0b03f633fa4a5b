import { describe, expect, it } from "vitest";
import { gpuDevices, gpusOfSlot } from "../../src/core/gpu-shares.js";
import { type NodeResources, slotShares } from "../../src/core/slot-shares.js";

const cpus = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

function node(more: Partial<NodeResources>): NodeResources {
  return {
    slots: 2,
    cores: 4,
    coresPerTask: 2,
    allocation: false,
    envResources: [],
    env: {},
    cpus: [],
    ...more,
  };
}
const inAllocation = (more: Partial<NodeResources>): NodeResources =>
  node({ allocation: true, cpus: cpus(more.cores ?? 4), ...more });

/** Of each slot. */
const values = (resources: NodeResources, name: string): readonly (string | undefined)[] =>
  slotShares(resources).shares.map(({ env }) => env[name]);

describe("outside an allocation", () => {
  it("slots have nothing of their own: others may have the same cores and devices", () => {
    const env = { CUDA_VISIBLE_DEVICES: "0,1", SLURM_CPUS_PER_TASK: "8" };
    expect(slotShares(node({ env, cpus: cpus(4) }))).toEqual({
      slots: 2,
      shares: [],
      perEngine: {},
      notes: [],
    });
  });
});

describe("-E", () => {
  it("gives each slot its item, and PERENGINE commands the first", () => {
    const shares = slotShares(node({ envResources: ["RES"], env: { RES: "a,b" } }));
    expect(shares.shares.map(({ env }) => env)).toEqual([{ RES: "a" }, { RES: "b" }]);
    expect(shares).toMatchObject({ slots: 2, perEngine: { RES: "a" }, notes: [] });
  });

  it("leaves no more slots than the shortest list has items", () => {
    const env = { A: "1,2,3", B: "x,y" };
    const shares = slotShares(node({ slots: 4, envResources: ["A", "B"], env }));
    expect(shares.slots).toBe(2);
    expect(shares.shares.map(({ env: each }) => each)).toEqual([
      { A: "1", B: "x" },
      { A: "2", B: "y" },
    ]);
    expect(shares.notes).toEqual([
      "-E A: fewer values than the 4 slots, which become 3: 1,2,3",
      "-E B: fewer values than the 3 slots, which become 2: x,y",
    ]);
  });

  it("says when items are left over, and when there is no such variable", () => {
    const shares = slotShares(node({ envResources: ["A", "NONE", "EMPTY"], env: { A: "1,2,3", EMPTY: "" } }));
    expect(shares.slots).toBe(2);
    expect(shares.notes).toEqual([
      "-E A: more values than the 2 slots; some will not be used: 1,2,3",
      "-E NONE: there is no such variable here; it is ignored",
      "-E EMPTY: there is no such variable here; it is ignored",
    ]);
  });
});

describe("cores in an allocation", () => {
  const pinned = (resources: NodeResources): readonly (readonly number[] | undefined)[] =>
    slotShares(resources).shares.map((share) => share.cpus);

  it("are divided evenly, in sets next to each other", () => {
    expect(pinned(inAllocation({ slots: 2, cores: 4 }))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(pinned(inAllocation({ slots: 2, cores: 5 }))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(pinned(inAllocation({ slots: 2, cores: 2, cpus: [5, 9] }))).toEqual([[5], [9]]);
  });

  it("are not when there are more slots than cores", () => {
    expect(pinned(inAllocation({ slots: 3, cores: 2 }))).toEqual([undefined, undefined, undefined]);
  });

  it("are not, and it says so, when we may use more or fewer than were promised", () => {
    for (const count of [0, 3, 5]) {
      const shares = slotShares(inAllocation({ cores: 4, cpus: cpus(count) }));
      expect(shares.shares.map((share) => share.cpus)).toEqual([undefined, undefined]);
      expect(shares.notes).toEqual([
        `tasks are not pinned to cores: 4 are ours, but we may use ${count} CPUs`,
      ]);
    }
  });

  it("are divided among the slots that -E leaves", () => {
    const few = inAllocation({ slots: 4, cores: 4, envResources: ["A"], env: { A: "1,2" } });
    expect(pinned(few)).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });
});

describe("GPUs in an allocation", () => {
  it("are divided evenly, whatever their variable", () => {
    for (const name of [
      "CUDA_VISIBLE_DEVICES",
      "ROCR_VISIBLE_DEVICES",
      "HIP_VISIBLE_DEVICES",
      "GPU_DEVICE_ORDINAL",
      "ZE_AFFINITY_MASK",
    ])
      expect(values(inAllocation({ env: { [name]: "4,5,6,7,8" } }), name)).toEqual(["4,5", "6,7"]);
  });

  it("are shared when there are fewer than slots, and it says so", () => {
    const few = inAllocation({ slots: 5, cores: 5, env: { CUDA_VISIBLE_DEVICES: "2,3" } });
    expect(values(few, "CUDA_VISIBLE_DEVICES")).toEqual(["2", "2", "2", "3", "3"]);
    expect(slotShares(few).notes).toEqual(["CUDA_VISIBLE_DEVICES: 2 devices for 5 slots: tasks share them"]);
  });

  it("are none when the variable is empty, or Slurm says that there are none", () => {
    for (const text of ["", "NoDevFiles"]) {
      const none = inAllocation({ env: { CUDA_VISIBLE_DEVICES: text } });
      expect(values(none, "CUDA_VISIBLE_DEVICES")).toEqual([undefined, undefined]);
    }
  });

  it("are all seen by PERENGINE commands, and left to -E where that names them", () => {
    expect(slotShares(inAllocation({ env: { CUDA_VISIBLE_DEVICES: "0,1" } })).perEngine).toEqual({});
    const named = inAllocation({
      envResources: ["CUDA_VISIBLE_DEVICES"],
      env: { CUDA_VISIBLE_DEVICES: "0,1,2,3" },
    });
    expect(values(named, "CUDA_VISIBLE_DEVICES")).toEqual(["0", "1"]);
  });

  it("each slot has at least one device and none is in two slots, unless there are too few", () => {
    for (let devices = 1; devices <= 9; devices++)
      for (let slots = 1; slots <= 9; slots++) {
        const all = gpuDevices(cpus(devices).join(","));
        const taken = cpus(slots).map((slot) => gpusOfSlot(all, slot, slots));
        expect(taken.every((each) => each.length >= 1)).toBe(true);
        if (devices >= slots) expect(new Set(taken.flat()).size).toBe(taken.flat().length);
        else expect(new Set(taken.flat()).size).toBe(devices);
      }
  });
});

describe("what Slurm's variables say to a task in an allocation", () => {
  it("is its own share, not the engine's step", () => {
    const env = { SLURM_CPUS_PER_TASK: "64", SLURM_NTASKS: "4", SLURM_NPROCS: "4" };
    expect(slotShares(inAllocation({ env })).shares[1]?.env).toEqual({
      SLURM_CPUS_PER_TASK: "2",
      SLURM_NTASKS: "1",
      SLURM_NPROCS: "1",
    });
  });

  it("is one core at least", () => {
    expect(values(inAllocation({ coresPerTask: 0 }), "SLURM_CPUS_PER_TASK")).toEqual(["1", "1"]);
  });

  it("does not contradict itself: srun would refuse", () => {
    const both = (tres: string): string | undefined =>
      values(inAllocation({ env: { SLURM_TRES_PER_TASK: tres } }), "SLURM_TRES_PER_TASK")[0];
    expect([both("cpu:64"), both("cpu=64,gres/gpu=1"), both("gres/gpu:2")]).toEqual([
      "cpu:2",
      "cpu=2,gres/gpu=1",
      "gres/gpu:2",
    ]);
  });
});
