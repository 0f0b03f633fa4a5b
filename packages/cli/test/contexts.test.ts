import { describe, expect, it } from "vitest";
import { contextSettingsOf } from "../src/contexts/context-settings.js";
import { planContext } from "../src/contexts/plan-context.js";
import { parseContextLine } from "../src/command-line.js";
import { UsageError } from "../src/usage-error.js";

const host = "vm.example.org";
const job = {
  SLURM_JOB_ID: "77",
  SLURM_JOB_NODELIST: "n[1-2]",
  SLURM_JOB_CPUS_PER_NODE: "8,4",
  SLURM_TASKS_PER_NODE: "3,2",
};

function plan(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const line = parseContextLine(args);
  if (line.kind === "print") throw new Error("it prints");
  const settings = contextSettingsOf(line.options, env, host, "runs");
  const { cpusPerTask, tasksPerNode } = settings;
  return planContext(settings, { cpusPerTask, tasksPerNode }, env, host);
}

describe("planContext", () => {
  it("puts hosts of this name together, and calls a context of only this host local", () => {
    expect(plan(["-s", "localhost:2,vm:1", "-s", "vm.other:3"])).toEqual({
      kind: "local",
      label: "SSH#",
      exactLabel: false,
      plans: [{ host, cores: 6, slots: 6, coresPerTask: 1 }],
      notices: [],
    });
  });

  it("computes slots as disBatch does", () => {
    expect(plan(["-s", "localhost:5", "-c", "2"]).plans).toMatchObject([{ slots: 2, coresPerTask: 2 }]);
    expect(plan(["-s", "localhost:1", "-c", "0.5"]).plans).toMatchObject([{ slots: 2, coresPerTask: 0 }]);
    expect(plan(["-s", "localhost:7", "-t", "2"]).plans).toMatchObject([{ slots: 2, coresPerTask: 3 }]);
  });

  it("reaches others by ssh", () => {
    expect(plan(["-s", "a:2,ann@b:4", "-l", "lab"])).toMatchObject({
      kind: "ssh",
      label: "lab",
      exactLabel: true,
      plans: [
        { host: "a", slots: 2 },
        { host: "ann@b", slots: 4 },
      ],
    });
  });

  it("finds an allocation, and names the context after the job", () => {
    expect(plan([], job)).toMatchObject({
      kind: "slurm",
      label: "J77",
      exactLabel: false,
      plans: [
        { host: "n1", cores: 8, slots: 3 },
        { host: "n2", cores: 4, slots: 2 },
      ],
    });
    expect(plan([], { ...job, SLURM_RESTART_COUNT: "2" }).label).toBe("J77r2");
    expect(plan(["--fill"], job).plans).toMatchObject([{ slots: 8 }, { slots: 4 }]);
  });

  it.each([
    [["-s", "localhost:1", "-c", "2"], {}, "not one task of 2 cores fits"],
    [["-s", "localhost:1", "-c", "0.0000001"], {}, "are too many: no more than"],
    [["-s", "localhost:1", "-t", "999999999"], {}, "are too many: no more than"],
    [[], { ...job, SLURM_JOB_CPUS_PER_NODE: "x" }, "SLURM_JOB_CPUS_PER_NODE: "],
    [["-c", "9"], job, "no node of this job has room for a task of 9 cores"],
  ])("refuses %j", (args, env, message) => {
    expect(() => plan(args, env)).toThrow(message);
    expect(() => plan(args, env)).toThrow(UsageError);
  });
});
