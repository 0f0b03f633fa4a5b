import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type HostProcess, atWork, hostProcesses, notOf } from "../../src/recovery/host-processes.js";

const files = { prefix: "/w/one", cwd: "/w" };

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
          environment: ["A=1", "TASKMUSTER_RUN=/w/one", "DISBATCH_ENGINE_RANK=3"],
        }),
        made(31, 22, {
          command: "sleep 60",
          environment: ["TASKMUSTER_RUN=/w/one_more", "DISBATCH_ENGINE_RANK=3"],
        }),
        // A context of it.
        made(33, 1, { command: "node /x/dist/context.js", environment: ["TASKMUSTER_RUN=/w/one"] }),
        // Of a run with the same name somewhere else.
        made(32, 22, {
          command: "sleep 60",
          environment: ["DISBATCH_JOBID=one", "TASKMUSTER_RUN=/w2/one", "DISBATCH_ENGINE_RANK=3"],
        }),
      ],
      files,
    );
    expect(pids(found)).toEqual([22, 24, 30]);
  });

  it("finds what belongs to it by whatever way its files are named, over a symbolic link too", () => {
    const directory = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
    try {
      mkdirSync(join(directory, "real"));
      symlinkSync("real", join(directory, "link"));
      const [real, link] = [join(realpathSync(directory), "real/one"), join(directory, "link/one")];
      for (const [then, now] of [
        [real, link],
        [link, real],
      ] as const) {
        const all = [
          made(10, 1, { command: engine, cwd: "/x", open: [`${real}_SSH0_vm_engine_0.log`] }),
          made(30, 1, { environment: [`TASKMUSTER_RUN=${then}`, "DISBATCH_ENGINE_RANK=0"] }),
          made(31, 1, { environment: [`TASKMUSTER_RUN=${then}_more`, "DISBATCH_ENGINE_RANK=0"] }),
        ];
        expect(pids(atWork(all, { prefix: now, cwd: "/w" }))).toEqual([10, 30]);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("asks for one engine's", () => {
    const all = [
      made(10, 1, { command: engine, open: ["/w/one_SSH0_vm_engine_0.log"] }),
      made(20, 10, { command: guardian }),
      made(30, 20, { environment: ["TASKMUSTER_RUN=/w/one", "DISBATCH_ENGINE_RANK=0"] }),
      made(31, 1, { environment: ["TASKMUSTER_RUN=/w/one", "DISBATCH_ENGINE_RANK=1"] }),
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
