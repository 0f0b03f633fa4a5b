import { describe, expect, it } from "vitest";
import { type SlurmWishes, inSlurmJob, planSlurm, slurmLabel } from "../../src/core/slurm-environment.js";
import { parseRunLengths } from "../../src/core/slurm-run-lengths.js";

type Env = Readonly<Record<string, string>>;

function job(env: Env = {}): Env {
  return {
    SLURM_JOB_ID: "123",
    SLURM_JOB_NODELIST: "n[1-3]",
    SLURM_JOB_CPUS_PER_NODE: "8(x2),3",
    SLURM_TASKS_PER_NODE: "4(x2),1",
    ...env,
  };
}

function without(env: Env, ...names: readonly string[]): Env {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));
}

function planned(env: Env, wishes: Partial<SlurmWishes> = {}) {
  return planSlurm(env, { cpusPerTask: null, tasksPerNode: null, fill: false, ...wishes });
}

/** `host:slots*coresPerTask`, and the notices. */
function brief(env: Env, wishes: Partial<SlurmWishes> = {}) {
  const result = planned(env, wishes);
  if (result.kind === "bad") return result;
  return {
    plans: result.plans.map(({ host, slots, coresPerTask }) => `${host}:${slots}*${coresPerTask}`).join(" "),
    notices: result.notices,
  };
}

describe("what a Slurm job's environment says", () => {
  it("is tasks as Slurm granted them on each node, as far as they fit", () => {
    expect(planned(job())).toEqual({
      kind: "plans",
      plans: [
        { host: "n1", cores: 8, slots: 4, coresPerTask: 2 },
        { host: "n2", cores: 8, slots: 4, coresPerTask: 2 },
        { host: "n3", cores: 3, slots: 1, coresPerTask: 3 },
      ],
      notices: [],
    });
  });

  it.each<[string, Env, Partial<SlurmWishes>, string, readonly string[]]>([
    ["sbatch -n 9 -c 2", { SLURM_CPUS_PER_TASK: "2" }, {}, "n1:4*2 n2:4*2 n3:1*3", []],
    [
      "-c 4, which fewer tasks fit",
      {},
      { cpusPerTask: 4 },
      "n1:2*4 n2:2*4",
      ["nothing runs on n3 (3 cores): no room for a task of 4 cores"],
    ],
    [
      "-c 0.5, which does not make more tasks than asked for",
      {},
      { cpusPerTask: 0.5 },
      "n1:4*0 n2:4*0 n3:1*0",
      [],
    ],
    ["-c 1.5", {}, { cpusPerTask: 1.5 }, "n1:4*1 n2:4*1 n3:1*1", []],
    [
      "-c against SLURM_CPUS_PER_TASK",
      { SLURM_CPUS_PER_TASK: "2" },
      { cpusPerTask: 1 },
      "n1:4*1 n2:4*1 n3:1*1",
      ["-c 1 goes before SLURM_CPUS_PER_TASK, which is 2"],
    ],
    ["-t, whatever fits", {}, { tasksPerNode: 6 }, "n1:6*1 n2:6*1 n3:6*0", []],
    ["-t and -c", {}, { tasksPerNode: 6, cpusPerTask: 2 }, "n1:6*2 n2:6*2 n3:6*2", []],
    ["--ntasks-per-node", { SLURM_NTASKS_PER_NODE: "3" }, {}, "n1:3*2 n2:3*2 n3:3*1", []],
    [
      "-t against --ntasks-per-node",
      { SLURM_NTASKS_PER_NODE: "3" },
      { tasksPerNode: 2 },
      "n1:2*4 n2:2*4 n3:2*1",
      ["-t 2 goes before SLURM_NTASKS_PER_NODE, which is 3"],
    ],
    ["--fill", {}, { fill: true }, "n1:8*1 n2:8*1 n3:3*1", ["--fill: SLURM_TASKS_PER_NODE is ignored"]],
    [
      "--fill -c 3",
      {},
      { fill: true, cpusPerTask: 3 },
      "n1:2*3 n2:2*3 n3:1*3",
      ["--fill: SLURM_TASKS_PER_NODE is ignored"],
    ],
    ["--fill and -t", {}, { fill: true, tasksPerNode: 2 }, "n1:2*4 n2:2*4 n3:2*1", []],
    [
      "--fill with GPUs",
      { CUDA_VISIBLE_DEVICES: "0,1" },
      { fill: true },
      "n1:4*2 n2:4*2 n3:1*3",
      ["--fill is ignored, because this job has GPUs"],
    ],
    [
      "--fill with GPUs that only Slurm's variables tell of",
      { SLURM_GPUS: "4" },
      { fill: true },
      "n1:4*2 n2:4*2 n3:1*3",
      ["--fill is ignored, because this job has GPUs"],
    ],
    [
      "tasks for some nodes only",
      { SLURM_TASKS_PER_NODE: "2,0,1" },
      {},
      "n1:2*4 n3:1*3",
      ["nothing runs on n2 (8 cores): no room for a task of 1 cores"],
    ],
    [
      "a step's SLURM_TASKS_PER_NODE",
      { SLURM_TASKS_PER_NODE: "1" },
      {},
      "n1:8*1 n2:8*1 n3:3*1",
      ["SLURM_TASKS_PER_NODE tells of 1 nodes, but the job has 3: as many tasks as fit are run"],
    ],
  ])("%s", (_, env, wishes, plans, notices) => {
    expect(brief(job(env), wishes)).toEqual({ plans, notices });
  });

  it("without a number of tasks is as many as fit", () => {
    const env = without(job({ SLURM_CPUS_PER_TASK: "3" }), "SLURM_TASKS_PER_NODE");
    expect(brief(env)).toEqual({ plans: "n1:2*4 n2:2*4 n3:1*3", notices: [] });
  });

  it("prefers the job's nodes to a step's, and takes the old names too", () => {
    expect(brief(job({ SLURM_NODELIST: "n1" }))).toMatchObject({ plans: expect.stringContaining("n3") });
    const old = {
      ...without(job(), "SLURM_JOB_ID", "SLURM_JOB_NODELIST"),
      SLURM_JOBID: "5",
      SLURM_NODELIST: "m[1-3]",
    };
    expect(brief(old)).toMatchObject({ plans: "m1:4*2 m2:4*2 m3:1*3" });
    expect(slurmLabel(old)).toEqual({ kind: "label", label: "J5" });
    expect([inSlurmJob(old), inSlurmJob(job()), inSlurmJob({})]).toEqual([true, true, false]);
  });

  it.each<[string, Env, Partial<SlurmWishes>, string, string]>([
    ["no nodes", without(job(), "SLURM_JOB_NODELIST"), {}, "SLURM_JOB_NODELIST", "it is not set"],
    ["a bad list of nodes", job({ SLURM_JOB_NODELIST: "n[1-" }), {}, "SLURM_JOB_NODELIST", '"n[1-": '],
    [
      "no cores",
      without(job(), "SLURM_JOB_CPUS_PER_NODE"),
      {},
      "SLURM_JOB_CPUS_PER_NODE",
      "it is not set: a number for each of 3 nodes",
    ],
    [
      "cores of other nodes",
      job({ SLURM_JOB_CPUS_PER_NODE: "8" }),
      {},
      "SLURM_JOB_CPUS_PER_NODE",
      '"8" is not what is expected: a number for each of 3 nodes',
    ],
    [
      "bad tasks",
      job({ SLURM_TASKS_PER_NODE: "4(x" }),
      {},
      "SLURM_TASKS_PER_NODE",
      '"4(x" is not a list of numbers',
    ],
    [
      "bad cores per task",
      job({ SLURM_CPUS_PER_TASK: "two" }),
      {},
      "SLURM_CPUS_PER_TASK",
      '"two" is not a whole number above 0',
    ],
    [
      "bad tasks per node",
      job({ SLURM_NTASKS_PER_NODE: "0" }),
      {},
      "SLURM_NTASKS_PER_NODE",
      '"0" is not a whole number above 0',
    ],
    [
      "no room anywhere",
      job(),
      { cpusPerTask: 9 },
      "SLURM_JOB_CPUS_PER_NODE",
      "no node of this job has room for a task of 9 cores: n1 (8 cores), n2 (8 cores), n3 (3 cores)",
    ],
  ])("is refused with %s, and the variable named", (_, env, wishes, variable, why) => {
    expect(planned(env, wishes)).toEqual({ kind: "bad", variable, why: expect.stringContaining(why) });
  });
});

describe("the label of a Slurm context", () => {
  it("is the job's number, and how often it was requeued", () => {
    expect(slurmLabel(job())).toEqual({ kind: "label", label: "J123" });
    expect(slurmLabel(job({ SLURM_RESTART_COUNT: "0" }))).toEqual({ kind: "label", label: "J123" });
    expect(slurmLabel(job({ SLURM_RESTART_COUNT: "2" }))).toEqual({ kind: "label", label: "J123r2" });
  });

  it("becomes part of file names, so nothing but a number will do", () => {
    expect(slurmLabel({ SLURM_JOB_ID: "../1" })).toMatchObject({ kind: "bad", variable: "SLURM_JOB_ID" });
    expect(slurmLabel({})).toMatchObject({ kind: "bad", variable: "SLURM_JOB_ID", why: "it is not set" });
  });
});

describe("Slurm's lists of a number for each node", () => {
  it.each([
    ["4", [4]],
    ["4(x2),3", [4, 4, 3]],
    ["40,128(x3)", [40, 128, 128, 128]],
  ])("%s", (text, numbers) => {
    expect(parseRunLengths(text)).toEqual(numbers);
  });

  it.each(["", "x", "4(x)", "4(2)", "4,", "-1", "1.5", "4(x999999)", "1(x40000),1(x40000)"])(
    "not %j",
    (text) => {
      expect(parseRunLengths(text)).toBeNull();
    },
  );
});
