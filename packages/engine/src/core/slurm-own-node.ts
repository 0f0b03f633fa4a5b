import { isThisHost } from "./host-list.js";
import { expandSlurmHostList } from "./slurm-host-list.js";

/**
 * The node of the job on which this process runs, or null: the job of `salloc` on a login node has none. SLURMD_NODENAME alone
 * is no proof, as it may have been inherited from another job's node.
 */
export function slurmOwnNode(
  env: Readonly<Record<string, string | undefined>>,
  thisHost: string,
): string | null {
  const list = env["SLURM_JOB_NODELIST"] ?? env["SLURM_NODELIST"];
  const expansion = expandSlurmHostList(list ?? "");
  if (expansion.kind === "bad") return null;
  const named = env["SLURMD_NODENAME"];
  if (named !== undefined && expansion.hosts.includes(named)) return named;
  return expansion.hosts.find((host) => isThisHost(host, thisHost)) ?? null;
}
