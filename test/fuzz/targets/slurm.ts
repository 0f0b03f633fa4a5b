import { parseCpuList } from "../../../packages/engine/src/core/cpu-list.js";
import { allocationEndsAt } from "../../../packages/engine/src/core/allocation-end.js";
import { parseHostList } from "../../../packages/engine/src/core/host-list.js";
import { endTimeOf } from "../../../packages/engine/src/core/slurm-end-time.js";
import { planSlurm, slurmLabel } from "../../../packages/engine/src/core/slurm-environment.js";
import { gresRequests } from "../../../packages/engine/src/core/slurm-gres.js";
import { expandSlurmHostList, mostHosts } from "../../../packages/engine/src/core/slurm-host-list.js";
import { parseRunLengths } from "../../../packages/engine/src/core/slurm-run-lengths.js";
import { type Target, must } from "../target.js";

const plainHost = /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/;

/** `SLURM_JOB_NODELIST` and the like. */
export const slurmHostLists: Target = {
  name: "slurm-host-list",
  seeds: () =>
    [
      "login",
      "n[08-11],m[1,3]",
      "rack[0-1]node[01-03,07]",
      "a[1-2][3-4]",
      "a[7,x[1-2]y]-ib",
      "worker[2080,5071-5072,5422]",
    ].map((text) => Buffer.from(text)),
  words: ["[", "]", "[1-2]", "[1-65536]", "[1-99999999999]", ",", "-", "n[", "0-", "x[1]", "-o"],
  mostBytes: 16_384,
  share: 0.5,
  check: (bytes) => {
    const expansion = expandSlurmHostList(bytes.toString("latin1"));
    if (expansion.kind === "bad") {
      must(expansion.why !== "" && expansion.why.length < 17_000, "it is said why");
      return;
    }
    must(expansion.hosts.length <= mostHosts, "no more hosts than any cluster has");
    must(
      expansion.hosts.every((host) => plainHost.test(host)),
      "no host could be taken for an option, or needs quoting",
    );
  },
};

/** What `-s` and `DISBATCH_SSH_NODELIST` take. */
export const hostLists: Target = {
  name: "host-list",
  seeds: () =>
    ["localhost:4", "a:1,b:2,a:3", " me@host.example.org : 100000 ,"].map((text) => Buffer.from(text)),
  words: [":", ",", "@", ":4", ":100000", ":100001", "localhost:1,", "-oProxyCommand=x:1", "$(id):1"],
  mostBytes: 16_384,
  check: (bytes) => {
    const read = parseHostList([bytes.toString("utf8")]);
    if (read.kind === "bad") return must(read.why !== "", "it is said why");
    for (const { host, cores } of read.hosts) {
      must(/^[A-Za-z0-9_][A-Za-z0-9_.+@-]*$/.test(host), "a host can be told to ssh");
      must(Number.isSafeInteger(cores) && cores > 0, "cores are a number");
    }
  },
};

const shown =
  "JobId=7 EndTime=2026-11-21T03:17:42 TresPerNode=gres:gpu:2 " +
  "Nodes=n[01-02] CPU_IDs=0-3 Mem=2000 GRES=gpu:a100:2(IDX:0-1),nic:1(IDX:0) Nodes=n3 CPU_IDs=0 Mem=0 GRES=";

/** What `scontrol` prints, and other short texts that tell of a node or a job. */
export const slurmTexts: Target = {
  name: "slurm-texts",
  seeds: () => ["4(x2),3", "0-3,8,12-15", shown, "1800000000"].map((text) => Buffer.from(text)),
  words: [
    "(x",
    "4(x65536)",
    "0-99999",
    "Nodes=",
    "n[1-9999]",
    "CPU_IDs=",
    "GRES=gpu:1",
    "EndTime=",
    "TresPer",
    ",",
  ],
  mostBytes: 16_384,
  share: 0.5,
  check: (bytes) => {
    const text = bytes.toString("latin1");
    for (const number of parseRunLengths(text) ?? [])
      must(Number.isSafeInteger(number), "a count is a number");
    const cpus = parseCpuList(text);
    must(
      cpus.every((cpu) => cpu >= 0 && cpu <= 99_999),
      "a CPU is a small number",
    );
    const endsAt = endTimeOf(text);
    must(endsAt === null || Number.isSafeInteger(endsAt), "an end is a number of seconds");
    const endsAtMs = allocationEndsAt(text, 0);
    must(endsAtMs === null || Number.isSafeInteger(endsAtMs), "an end is a number of milliseconds");
    for (const args of gresRequests(text).argsOf.values())
      must(
        args.every((arg) => /^--(gres|gpus)=[A-Za-z0-9_:,-]+$/.test(arg)),
        "srun can be asked so",
      );
  },
};

/** The environment of a job, a variable a line. */
export const slurmEnvironments: Target = {
  name: "slurm-environment",
  seeds: () => [
    Buffer.from(
      "SLURM_JOB_ID=7\nSLURM_JOB_NODELIST=n[1-2]\nSLURM_JOB_CPUS_PER_NODE=4(x2)\nSLURM_TASKS_PER_NODE=2(x2)",
    ),
    Buffer.from("SLURM_JOBID=7\nSLURM_NODELIST=n1\nSLURM_JOB_CPUS_PER_NODE=8\nSLURM_NTASKS_PER_NODE=4"),
  ],
  words: [
    "\n",
    "=",
    "SLURM_CPUS_PER_TASK=2\n",
    "SLURM_NTASKS_PER_NODE=3\n",
    "SLURM_TASKS_PER_NODE=",
    "SLURM_RESTART_COUNT=1\n",
    "CUDA_VISIBLE_DEVICES=0\n",
  ],
  mostBytes: 8_192,
  check: (bytes) => {
    const env: Record<string, string> = {};
    for (const line of bytes.toString("latin1").split("\n")) {
      const [name = "", ...value] = line.split("=");
      if (name.startsWith("SLURM_") || name.startsWith("CUDA_")) env[name] = value.join("=");
    }
    const label = slurmLabel(env);
    must(label.kind === "bad" || /^J[0-9]+(r[0-9]+)?$/.test(label.label), "a label is part of a file's name");
    for (const cpusPerTask of [null, 0.5, 3]) {
      const plans = planSlurm(env, { cpusPerTask, tasksPerNode: null, fill: cpusPerTask === 3 });
      if (plans.kind === "bad") must(plans.why !== "", "it is said why");
      else
        for (const { host, slots } of plans.plans)
          must(plainHost.test(host) && Number.isSafeInteger(slots) && slots > 0, "a plan can be carried out");
    }
  },
};
