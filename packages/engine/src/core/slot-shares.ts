import { envResources } from "./env-resources.js";
import { gpuDevices, gpusOfSlot, gpuVariables } from "./gpu-shares.js";

/** What one slot has of its node. */
export interface SlotShare {
  /** Beside the variables of the engine and the task's numbers. */
  readonly env: Readonly<Record<string, string>>;
  /** The task runs on these only; undefined: on all that the engine may use. */
  readonly cpus: readonly number[] | undefined;
}

export interface NodeResources {
  readonly slots: number;
  readonly cores: number;
  readonly coresPerTask: number;
  /** The node's cores and devices are this engine's alone. */
  readonly allocation: boolean;
  /** `-E`. */
  readonly envResources: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** CPUs that this process may use; empty: unknown. */
  readonly cpus: readonly number[];
}

export interface SlotShares {
  /** What is left of the slots that were asked for. */
  readonly slots: number;
  /** By slot; empty when no slot has anything of its own. */
  readonly shares: readonly SlotShare[];
  /** What PERENGINE commands get: they run in no slot, and see all that the engine sees. */
  readonly perEngine: Readonly<Record<string, string>>;
  /** For the log. */
  readonly notes: readonly string[];
}

/**
 * Divides a node among its slots. Cores and GPUs only inside an allocation: outside one other engines, and other people, may have
 * the same node, and would all pin to its first cores.
 */
export function slotShares(node: NodeResources): SlotShares {
  const { slots, resources, notes: resourceNotes } = envResources(node.envResources, node.env, node.slots);
  const notes = [...resourceNotes];
  const perEngine = Object.fromEntries(resources.map(({ name, items }) => [name, items[0] ?? ""]));
  if (!node.allocation && resources.length === 0) return { slots, shares: [], perEngine, notes };

  const gpus = node.allocation
    ? gpuVariables
        .filter((name) => perEngine[name] === undefined)
        .map((name) => ({ name, devices: gpuDevices(node.env[name]) }))
        .filter(({ devices }) => devices.length > 0)
    : [];
  for (const { name, devices } of gpus)
    if (devices.length < slots)
      notes.push(`${name}: ${devices.length} devices for ${slots} slots: tasks share them`);
  const cpus = node.allocation ? cpusPerSlot(node, slots, notes) : 0;
  const step = node.allocation ? stepVariables(node) : {};

  const shares = Array.from({ length: slots }, (_, slot): SlotShare => {
    const env: Record<string, string> = { ...step };
    for (const { name, devices } of gpus) env[name] = gpusOfSlot(devices, slot, slots).join(",");
    for (const { name, items } of resources) env[name] = items[slot] ?? "";
    return { env, cpus: cpus === 0 ? undefined : node.cpus.slice(slot * cpus, (slot + 1) * cpus) };
  });
  return { slots, shares, perEngine, notes };
}

/** 0: tasks are not pinned, as we do not have exactly the cores that we were told of. */
function cpusPerSlot({ cores, cpus }: NodeResources, slots: number, notes: string[]): number {
  if (cpus.length === cores) return Math.floor(cores / slots);
  notes.push(`tasks are not pinned to cores: ${cores} are ours, but we may use ${cpus.length} CPUs`);
  return 0;
}

/**
 * A task is one process of its own share. The variables of the engine's step speak of the whole node, and many programs start as
 * many threads as they say. An srun within the task refuses to run when the first and the last of these differ.
 */
function stepVariables({ coresPerTask, env }: NodeResources): Record<string, string> {
  const cores = String(Math.max(1, coresPerTask));
  const variables: Record<string, string> = {
    SLURM_CPUS_PER_TASK: cores,
    SLURM_NTASKS: "1",
    SLURM_NPROCS: "1",
  };
  const tres = env["SLURM_TRES_PER_TASK"];
  if (tres !== undefined)
    variables["SLURM_TRES_PER_TASK"] = tres.replace(
      /\bcpu([:=])\d+/,
      (_, sign: string) => `cpu${sign}${cores}`,
    );
  return variables;
}
