import type { NodePlan } from "./node-plan.js";
import { parseRunLengths } from "./slurm-run-lengths.js";

type Env = Readonly<Record<string, string | undefined>>;

/** The `srun` command that runs one process on one node with everything that the job holds there. */
export interface SrunStep {
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  /** Variables of the job that `srun` must not see, but tasks may want to. */
  readonly forTasks: Readonly<Record<string, string>>;
}

/**
 * One task on one node, with all its cores, memory and GPUs, also while other steps of the job run.
 *
 * Without `-c` a step holds all cores of its node, but the process is bound to one of them. With `-c` (which implies `--exact`) it is bound to
 * all; but where nodes have different numbers of cores, Slurm 22.05 counts wrong: 4 cores on the larger node of a job with 4 and
 * 2 became a step with none (`TRES=cpu=0`, `SLURM_CPUS_ON_NODE=1`). There we take the whole node and bind nothing.
 */
export function srunStep(
  plan: Pick<NodePlan, "host" | "cores">,
  jobEnv: Env,
  options: ReadonlyMap<string, string> | null,
  gresArgs: readonly string[],
): SrunStep {
  const alike = nodesAreAlike(jobEnv);
  const args = ["-N1", "-n1", "-w", plan.host, "--kill-on-bad-exit=0"];
  if (alike) args.push("-c", String(plan.cores));
  args.push(...gresArgs);

  // What a batch script finds of its own node's GPUs would be passed on to nodes that have none.
  const slurmsGpus = ownNodesGpus.some((name) => jobEnv[name] !== undefined);
  const env: Record<string, string> = {};
  const forTasks: Record<string, string> = {};
  for (const [name, value] of Object.entries(jobEnv)) {
    if (value === undefined || (slurmsGpus && (ownNodesGpus.includes(name) || visibleGpus.has(name))))
      continue;
    if (!distorting.has(name)) env[name] = value;
    else if (name.startsWith("SLURM_MEM_PER_") && /^[0-9A-Za-z.:]{1,40}$/.test(value)) forTasks[name] = value;
  }
  // As variables, not flags, so that the user's file goes before them, and older versions overlook what they do not know.
  Object.assign(env, { SLURM_OVERLAP: "1", SLURM_EXPORT_ENV: "ALL" });
  if (options === null) {
    env["SLURM_CPU_BIND"] = bindingWished(jobEnv) ?? (alike ? "cores" : "none");
    env["SLURM_MPI_TYPE"] = "none";
  } else {
    for (const [name, value] of options) env[name] = value;
  }
  return { args, env, forTasks };
}

/** Inside a step the variable holds what that step got, as a mask of one node's cores: nobody's wish. */
function bindingWished(env: Env): string | undefined {
  const binding = env["SLURM_CPU_BIND"];
  return env["SLURM_STEP_ID"] !== undefined && /(mask|map)_/.test(binding ?? "") ? undefined : binding;
}

function nodesAreAlike(env: Env): boolean {
  const cores = parseRunLengths(env["SLURM_JOB_CPUS_PER_NODE"] ?? "");
  return cores !== null && new Set(cores).size === 1;
}

const ownNodesGpus = ["SLURM_JOB_GPUS", "SLURM_GPUS_ON_NODE", "SLURM_STEP_GPUS"];
const visibleGpus: ReadonlySet<string> = new Set([
  "CUDA_VISIBLE_DEVICES",
  "GPU_DEVICE_ORDINAL",
  "ROCR_VISIBLE_DEVICES",
  "HIP_VISIBLE_DEVICES",
  "ZE_AFFINITY_MASK",
]);

/**
 * What `srun` reads from the environment of a job, and would take for a wish about our step: how many tasks, cores, GPUs and how
 * much memory, where tasks go, and where their input and output go. SLURM_HINT and SLURM_THREADS_PER_CORE stay: they say what
 * counts as a core.
 */
const distorting: ReadonlySet<string> = new Set([
  "SLURM_ARBITRARY_NODELIST",
  "SLURM_CORE_SPEC",
  "SLURM_CPUS_PER_GPU",
  "SLURM_CPUS_PER_TASK",
  "SLURM_DISTRIBUTION",
  "SLURM_DIST_LINESIZE",
  "SLURM_DIST_PLANESIZE",
  "SLURM_EXACT",
  "SLURM_EXCLUSIVE",
  "SLURM_EXIT_IMMEDIATE",
  "SLURM_GPUS",
  "SLURM_GPUS_PER_NODE",
  "SLURM_GPUS_PER_SOCKET",
  "SLURM_GPUS_PER_TASK",
  "SLURM_GPU_BIND",
  "SLURM_GRES",
  "SLURM_GRES_FLAGS",
  "SLURM_HOSTFILE",
  "SLURM_IMMEDIATE",
  "SLURM_LABELIO",
  "SLURM_MEM_PER_CPU",
  "SLURM_MEM_PER_GPU",
  "SLURM_MEM_PER_NODE",
  "SLURM_NCORES_PER_SOCKET",
  "SLURM_NNODES",
  "SLURM_NPROCS",
  "SLURM_NSOCKETS_PER_NODE",
  "SLURM_NTASKS",
  "SLURM_NTASKS_PER_CORE",
  "SLURM_NTASKS_PER_GPU",
  "SLURM_NTASKS_PER_NODE",
  "SLURM_NTASKS_PER_SOCKET",
  "SLURM_NTASKS_PER_TRES",
  "SLURM_OVERCOMMIT",
  "SLURM_RELATIVE",
  "SLURM_REMOTE_CWD",
  "SLURM_SPREAD_JOB",
  "SLURM_STDERRMODE",
  "SLURM_STDINMODE",
  "SLURM_STDOUTMODE",
  "SLURM_STEP_GRES",
  "SLURM_TASKS_PER_NODE",
  "SLURM_TEST_EXEC",
  "SLURM_THREADS",
  "SLURM_THREAD_SPEC",
  "SLURM_TIMELIMIT",
  "SLURM_TRES_BIND",
  "SLURM_TRES_PER_TASK",
  "SLURM_UNBUFFEREDIO",
  "SLURM_USE_MIN_NODES",
  "SLURM_WAIT",
  "SLURM_WORKING_DIR",
  "SRUN_CPUS_PER_TASK",
  "SRUN_EXPORT_ENV",
]);
