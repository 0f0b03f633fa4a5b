import { describe, expect, it } from "vitest";
import { gresRequests } from "../../src/core/slurm-gres.js";

/** As Slurm 22.05 prints them, shortened. */
function shown(nodes: readonly string[], asked = "TresPerNode=gres:gpu:2"): string {
  return `JobId=7 JobName=x
   NumNodes=2 NumCPUs=8 NumTasks=8 CPUs/Task=1 ReqB:S:C:T=0:0:*:*
   TRES=cpu=8,mem=4000M,node=2,billing=8
   JOB_GRES=gpu:4
${nodes.map((each) => `     ${each}\n`).join("")}   MinCPUsNode=1 MinMemoryCPU=500M MinTmpDiskNode=0
   ${asked}
`;
}

function args(text: string): Record<string, string> {
  return Object.fromEntries([...gresRequests(text).argsOf].map(([host, each]) => [host, each.join(" ")]));
}

describe("what a step asks for to get all GPUs of its node", () => {
  it("is as many as the job holds there", () => {
    const text = shown(["Nodes=node[01-02] CPU_IDs=0-3 Mem=2000 GRES=gpu:2(IDX:0-1)"]);
    expect(args(text)).toEqual({ node01: "--gres=gpu:2", node02: "--gres=gpu:2" });
    expect(gresRequests(text).notice).toBeNull();
  });

  it("is without the type, and all types together", () => {
    expect(
      args(shown(["Nodes=n1 CPU_IDs=0 Mem=1 GRES=gpu:a100:2(IDX:0-1),gpu:v100:1(IDX:2),nic:1(IDX:0)"])),
    ).toEqual({ n1: "--gres=gpu:3,nic:1" });
  });

  it("is told in another way where nodes hold different numbers", () => {
    const nodes = [
      "Nodes=n1 CPU_IDs=0 Mem=1 GRES=gpu:2(IDX:0-1),nic:1(IDX:0)",
      "Nodes=n2 CPU_IDs=0 Mem=1 GRES=gpu:1(IDX:0),nic:1(IDX:0)",
      "Nodes=n3 CPU_IDs=0 Mem=1 GRES=nic:1(IDX:0)",
    ];
    expect(args(shown(nodes, "TresPerJob=gres:gpu:3"))).toEqual({
      n1: "--gres=nic:1 --gpus=2",
      n2: "--gres=nic:1 --gpus=1",
      n3: "--gres=nic:1",
    });
  });

  it("is nothing where a job got them only with whole nodes and they differ, which is said", () => {
    const nodes = [
      "Nodes=node[01-02] CPU_IDs=0-3 Mem=2000 GRES=gpu:2(IDX:0-1)",
      "Nodes=node03 CPU_IDs=0-3 Mem=2000 GRES=(null)",
    ];
    expect(gresRequests(shown(nodes, "Power="))).toEqual({
      argsOf: new Map(),
      notice: expect.stringContaining("different numbers of GPUs"),
    });
    expect(args(shown(nodes.slice(0, 1), "Power="))).toEqual({
      node01: "--gres=gpu:2",
      node02: "--gres=gpu:2",
    });
  });

  it.each([
    ["a job without any", shown(["Nodes=node[01-02] CPU_IDs=0-3 Mem=2000 GRES="])],
    ["nothing at all", ""],
    ["what is not understood", shown(["Nodes=node[01- CPU_IDs=0-3 Mem=2000 GRES=gpu:2"])],
    ["another format", "Nodes=node01 Cores=4 GPUs=2"],
  ])("is nothing for %s", (_, text) => {
    expect(gresRequests(text)).toEqual({ argsOf: new Map(), notice: null });
  });
});
