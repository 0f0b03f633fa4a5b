import type { NodePlan } from "./node-plan.js";
import { slotsOf } from "./slots.js";
import { expandSlurmHostList } from "./slurm-host-list.js";
import { parseRunLengths } from "./slurm-run-lengths.js";
import type { SlotWishes } from "./ssh-plans.js";

type Env = Readonly<Record<string, string | undefined>>;

export interface SlurmWishes extends SlotWishes {
  /** `--fill`: as many tasks as fit, whatever number was asked for. */
  readonly fill: boolean;
}

export type SlurmPlans =
  | {
      readonly kind: "plans";
      readonly plans: readonly NodePlan[];
      /** For people. */
      readonly notices: readonly string[];
    }
  | { readonly kind: "bad"; readonly variable: string; readonly why: string };

export type SlurmLabel =
  | { readonly kind: "label"; readonly label: string }
  | { readonly kind: "bad"; readonly variable: string; readonly why: string };

export function inSlurmJob(env: Env): boolean {
  return jobIdOf(env) !== undefined;
}

/** `J<job>`, and `r<n>` when the job was requeued and so starts for another time under the same number. */
export function slurmLabel(env: Env): SlurmLabel {
  const job = jobIdOf(env);
  if (job === undefined) return { kind: "bad", variable: "SLURM_JOB_ID", why: "it is not set" };
  if (!/^[0-9]{1,20}$/.test(job))
    return { kind: "bad", variable: "SLURM_JOB_ID", why: `${JSON.stringify(job)} is not a job's number` };
  const restarts = env["SLURM_RESTART_COUNT"] ?? "0";
  const again = /^[1-9][0-9]{0,8}$/.test(restarts) ? `r${restarts}` : "";
  return { kind: "label", label: `J${job}${again}` };
}

/**
 * What may run on which node of the allocation that we are in. disBatch's rules: `-t`, else SLURM_NTASKS_PER_NODE, is the number
 * of tasks on each node whatever fits; else SLURM_TASKS_PER_NODE, but only as many as fit with `-c` (else
 * SLURM_CPUS_PER_TASK) cores; with `--fill`, or where Slurm was told no number, as many as fit.
 */
export function planSlurm(env: Env, wishes: SlurmWishes): SlurmPlans {
  const notices: string[] = [];
  const nodes = nodesOf(env);
  if ("variable" in nodes) return nodes;
  const { hosts, cores } = nodes;

  const granted = wholeNumber(env, "SLURM_CPUS_PER_TASK");
  if (granted !== null && typeof granted !== "number") return granted;
  const cpusPerTask = wishes.cpusPerTask ?? granted ?? 1;
  if (granted !== null && cpusPerTask !== granted)
    notices.push(`-c ${cpusPerTask} goes before SLURM_CPUS_PER_TASK, which is ${granted}`);

  const perNode = tasksPerNode(env, wishes, notices);
  if (perNode !== null && typeof perNode !== "number") return perNode;
  const wanted = perNode === null ? wantedTasks(env, wishes, hosts.length, notices) : null;
  if (wanted !== null && "variable" in wanted) return wanted;

  const plans: NodePlan[] = [];
  const empty: string[] = [];
  for (const [index, host] of hosts.entries()) {
    const count = cores[index] ?? 0;
    const most = slotsOf(count, cpusPerTask, perNode)?.slots ?? 0;
    const slots = wanted === null ? most : Math.min(most, wanted[index] ?? 0);
    if (slots === 0) empty.push(`${host} (${count} cores)`);
    else {
      const coresPerTask =
        wishes.cpusPerTask === null ? Math.floor(count / slots) : Math.floor(wishes.cpusPerTask);
      plans.push({ host, cores: count, slots, coresPerTask });
    }
  }
  if (plans.length === 0) {
    return {
      kind: "bad",
      variable: "SLURM_JOB_CPUS_PER_NODE",
      why: `no node of this job has room for a task of ${cpusPerTask} cores: ${few(empty)}`,
    };
  }
  if (empty.length > 0)
    notices.push(`nothing runs on ${few(empty)}: no room for a task of ${cpusPerTask} cores`);
  return { kind: "plans", plans, notices };
}

type Bad = Extract<SlurmPlans, { kind: "bad" }>;

function jobIdOf(env: Env): string | undefined {
  return env["SLURM_JOB_ID"] ?? env["SLURM_JOBID"];
}

function nodesOf(env: Env): { hosts: readonly string[]; cores: readonly number[] } | Bad {
  // Inside a step SLURM_NODELIST is the step's; SLURM_JOB_NODELIST is always the job's.
  const variable = env["SLURM_JOB_NODELIST"] === undefined ? "SLURM_NODELIST" : "SLURM_JOB_NODELIST";
  const list = env[variable];
  if (list === undefined)
    return { kind: "bad", variable: "SLURM_JOB_NODELIST", why: "it is not set, though SLURM_JOB_ID is" };
  const expansion = expandSlurmHostList(list);
  if (expansion.kind === "bad") return { kind: "bad", variable, why: expansion.why };
  const { hosts } = expansion;
  const cpus = env["SLURM_JOB_CPUS_PER_NODE"];
  const cores = cpus === undefined ? null : parseRunLengths(cpus);
  if (cores === null || cores.length !== hosts.length) {
    const shown = cpus === undefined ? "it is not set" : `${JSON.stringify(cpus)} is not what is expected`;
    const why = `${shown}: a number for each of ${hosts.length} nodes, like 4(x2),3`;
    return { kind: "bad", variable: "SLURM_JOB_CPUS_PER_NODE", why };
  }
  return { hosts, cores };
}

/** The same number for all nodes, or null where none was told. */
function tasksPerNode(env: Env, wishes: SlurmWishes, notices: string[]): number | null | Bad {
  const granted = wholeNumber(env, "SLURM_NTASKS_PER_NODE");
  if (wishes.tasksPerNode === null || (granted !== null && typeof granted !== "number")) return granted;
  if (granted !== null && granted !== wishes.tasksPerNode)
    notices.push(`-t ${wishes.tasksPerNode} goes before SLURM_NTASKS_PER_NODE, which is ${granted}`);
  return wishes.tasksPerNode;
}

/** How many tasks Slurm was asked for on each node; null: as many as fit. */
function wantedTasks(
  env: Env,
  wishes: SlurmWishes,
  nodeCount: number,
  notices: string[],
): readonly number[] | null | Bad {
  const text = env["SLURM_TASKS_PER_NODE"];
  if (wishes.fill && gpuVariables.some((name) => env[name] !== undefined)) {
    notices.push("--fill is ignored, because this job has GPUs");
  } else if (wishes.fill) {
    notices.push("--fill: SLURM_TASKS_PER_NODE is ignored");
    return null;
  }
  if (text === undefined) return null;
  const wanted = parseRunLengths(text);
  if (wanted === null) {
    return {
      kind: "bad",
      variable: "SLURM_TASKS_PER_NODE",
      why: `${JSON.stringify(text)} is not a list of numbers like 4(x2),3`,
    };
  }
  if (wanted.length === nodeCount) return wanted;
  // Inside a step it tells of the step's nodes.
  notices.push(
    `SLURM_TASKS_PER_NODE tells of ${wanted.length} nodes, but the job has ${nodeCount}: as many tasks as fit are run`,
  );
  return null;
}

function wholeNumber(env: Env, variable: string): number | null | Bad {
  const text = env[variable];
  if (text === undefined) return null;
  if (/^[1-9][0-9]{0,6}$/.test(text)) return Number(text);
  return { kind: "bad", variable, why: `${JSON.stringify(text)} is not a whole number above 0` };
}

function few(items: readonly string[]): string {
  const more = items.length > 5 ? ` and ${items.length - 5} more` : "";
  return items.slice(0, 5).join(", ") + more;
}

/** disBatch looks at the first two; the others are set where these are not, as by salloc on a login node. */
const gpuVariables = [
  "CUDA_VISIBLE_DEVICES",
  "GPU_DEVICE_ORDINAL",
  "ROCR_VISIBLE_DEVICES",
  "SLURM_JOB_GPUS",
  "SLURM_GPUS",
  "SLURM_GPUS_ON_NODE",
  "SLURM_GPUS_PER_NODE",
  "SLURM_GPUS_PER_TASK",
];
