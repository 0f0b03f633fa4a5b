import { describe, expect, it } from "vitest";
import { type HostProcess, atWork, hostProcesses, notOf } from "../../src/recovery/host-processes.js";

const files = { prefix: "/w/one", jobId: "one", cwd: "/w" };

function made(
  pid: number,
  parent: number,
  more: Partial<Omit<HostProcess, "open">> & { open?: string[] },
): HostProcess {
  const { open = [], ...rest } = more;
  return { pid, parent, command: "", environment: [], cwd: "/w", ...rest, open: () => open };
}

const pids = (found: readonly HostProcess[]): number[] => found.map(({ pid }) => pid);
const engine = "/usr/bin/node /x/dist/engine.js";
const guardian = "taskmuster-launcher";

describe("atWork", () => {
  it("finds engines by their log; one that has none, by where it is", () => {
    const found = atWork(
      [
        made(10, 1, { command: engine, open: ["/w/one_SSH0_vm_engine_0.log"] }),
        made(11, 1, { command: engine, open: ["/w/two_SSH0_vm_engine_0.log"] }),
        made(12, 1, { command: engine, open: ["/dev/null"] }),
        made(14, 1, { command: engine, cwd: "/elsewhere" }),
        made(13, 1, { command: "vi /x/engine.js.txt" }),
      ],
      files,
    );
    expect(pids(found)).toEqual([10, 12]);
  });

  it("finds tasks of the run, and guardians without an engine", () => {
    const found = atWork(
      [
        made(10, 1, { command: engine, open: ["/w/two_SSH0_vm_engine_0.log"] }),
        made(20, 10, { command: guardian }),
        made(21, 20, { command: guardian }),
        made(22, 1, { command: guardian }),
        made(23, 1, { command: guardian, cwd: "/elsewhere" }),
        made(24, 1, { command: "/bin/bash -p -c x taskmuster-guardian /w", cwd: "/" }),
        made(25, 1, { command: "/bin/bash -p -c x taskmuster-guardian /w2", cwd: "/" }),
        made(30, 22, {
          command: "sleep 60",
          environment: ["A=1", "DISBATCH_JOBID=one", "DISBATCH_ENGINE_RANK=3"],
        }),
        made(31, 22, { command: "sleep 60", environment: ["DISBATCH_JOBID=one_more"] }),
      ],
      files,
    );
    expect(pids(found)).toEqual([22, 24, 30]);
  });

  it("asks for one engine's", () => {
    const all = [
      made(10, 1, { command: engine, open: ["/w/one_SSH0_vm_engine_0.log"] }),
      made(20, 10, { command: guardian }),
      made(30, 20, { environment: ["DISBATCH_JOBID=one", "DISBATCH_ENGINE_RANK=0"] }),
      made(31, 1, { environment: ["DISBATCH_JOBID=one", "DISBATCH_ENGINE_RANK=1"] }),
    ];
    expect(pids(atWork(all, files, 1))).toEqual([31]);
    expect(pids(atWork(all, files, 2))).toEqual([]);
  });
});

describe("notOf", () => {
  it("leaves a process and all that descends from it out", () => {
    const all = [made(5, 1, {}), made(6, 5, {}), made(7, 6, {}), made(8, 1, {})];
    expect(pids(notOf(5, all))).toEqual([8]);
  });
});

describe("hostProcesses", () => {
  it("shows this one, as it is", () => {
    const own = hostProcesses()?.find(({ pid }) => pid === process.pid);
    expect(own?.parent).toBe(process.ppid);
    expect(own?.command).toContain("node");
    expect(own?.environment.some((each) => each.startsWith("PATH="))).toBe(true);
    expect(own?.open().length).toBeGreaterThan(0);
  });
});
