import { describe, expect, it } from "vitest";
import { slurmOwnNode } from "../../src/core/slurm-own-node.js";
import { parseSrunOptions } from "../../src/core/slurm-srun-options.js";
import { srunStep } from "../../src/core/slurm-step.js";

const node = { host: "n2", cores: 8 };
const alike = { SLURM_JOB_ID: "1", SLURM_JOB_CPUS_PER_NODE: "8(x3)" };

describe("the srun of a step that gets all of its node", () => {
  it("is one task of all cores, bound to them", () => {
    const { args, env } = srunStep(node, alike, null, ["--gpus=2"]);
    expect(args).toEqual(["-N1", "-n1", "-w", "n2", "--kill-on-bad-exit=0", "-c", "8", "--gpus=2"]);
    expect(env).toEqual({
      ...alike,
      SLURM_OVERLAP: "1",
      SLURM_EXPORT_ENV: "ALL",
      SLURM_CPU_BIND: "cores",
      SLURM_MPI_TYPE: "none",
    });
  });

  it("takes the whole node, unbound, where nodes have different numbers of cores", () => {
    const { args, env } = srunStep(node, { ...alike, SLURM_JOB_CPUS_PER_NODE: "8(x2),3" }, null, []);
    expect(args).not.toContain("-c");
    expect(env["SLURM_CPU_BIND"]).toBe("none");
  });

  it("does not see what the job says of its tasks, but does see what makes a core", () => {
    const said = {
      SLURM_NTASKS: "4",
      SLURM_TRES_PER_TASK: "cpu:2",
      SLURM_EXCLUSIVE: "",
      SLURM_STDOUTMODE: "f",
      SLURM_WORKING_DIR: "/x",
    };
    const kept = {
      SLURM_HINT: "nomultithread",
      SLURM_THREADS_PER_CORE: "1",
      SLURM_JOB_NUM_NODES: "3",
      PATH: "/bin",
    };
    const { env } = srunStep(node, { ...alike, ...said, ...kept }, null, []);
    expect(Object.keys(env)).toEqual(expect.arrayContaining(Object.keys(kept)));
    for (const name of Object.keys(said)) expect(env).not.toHaveProperty(name);
  });

  it("keeps what the job says of memory for tasks", () => {
    const { env, forTasks } = srunStep(
      node,
      { ...alike, SLURM_MEM_PER_NODE: "2000", SLURM_MEM_PER_GPU: "$(x)" },
      null,
      [],
    );
    expect(forTasks).toEqual({ SLURM_MEM_PER_NODE: "2000" });
    expect(env).not.toHaveProperty("SLURM_MEM_PER_NODE");
  });

  it("does not pass on one node's GPUs to others, but a user's own choice it does", () => {
    const chosen = { CUDA_VISIBLE_DEVICES: "1" };
    expect(srunStep(node, { ...alike, ...chosen }, null, []).env).toMatchObject(chosen);
    const given = { ...chosen, SLURM_JOB_GPUS: "1", SLURM_GPUS_ON_NODE: "1" };
    const { env } = srunStep(node, { ...alike, ...given }, null, []);
    for (const name of Object.keys(given)) expect(env).not.toHaveProperty(name);
  });

  it("is bound as the user wishes, which a mask that a step has left is not", () => {
    const bound = (env: Readonly<Record<string, string>>) =>
      srunStep(node, { ...alike, ...env }, null, []).env["SLURM_CPU_BIND"];
    expect(bound({ SLURM_CPU_BIND: "verbose,none" })).toBe("verbose,none");
    expect(bound({ SLURM_CPU_BIND: "quiet,mask_cpu:0x1", SLURM_STEP_ID: "0" })).toBe("cores");
  });

  it("takes the options of the user's file instead of ours, and last", () => {
    const options = new Map([
      ["SLURM_OVERLAP", "0"],
      ["SLURM_NTASKS", "1"],
    ]);
    const { env } = srunStep(node, alike, options, []);
    expect(env).toEqual({ ...alike, SLURM_EXPORT_ENV: "ALL", SLURM_OVERLAP: "0", SLURM_NTASKS: "1" });
  });
});

describe("a file of srun options", () => {
  it("has NAME=VALUE lines", () => {
    expect(parseSrunOptions("A=1\r\n\nB_2= x=y \nC=")).toEqual({
      kind: "options",
      options: new Map([
        ["A", "1"],
        ["B_2", " x=y "],
        ["C", ""],
      ]),
    });
  });

  it.each([
    ["A=1\n# comment", 2],
    ["export A=1", 1],
    ["=1", 1],
    ["A=1\n\nB", 3],
    ["A=a\0b", 1],
  ])("%j is refused, with its line", (text, line) => {
    expect(parseSrunOptions(text)).toMatchObject({ kind: "bad", line });
  });
});

describe("the node of the job that we are on", () => {
  const env = { SLURM_JOB_NODELIST: "n[1-3]" };

  it("is the one that Slurm names, if it is of this job", () => {
    expect(slurmOwnNode({ ...env, SLURMD_NODENAME: "n2" }, "elsewhere")).toBe("n2");
    expect(slurmOwnNode({ ...env, SLURMD_NODENAME: "m7" }, "elsewhere")).toBeNull();
  });

  it("is found by this host's name else", () => {
    expect(slurmOwnNode(env, "n3.cluster.org")).toBe("n3");
    expect(slurmOwnNode(env, "login")).toBeNull();
    expect(slurmOwnNode({}, "login")).toBeNull();
  });
});
