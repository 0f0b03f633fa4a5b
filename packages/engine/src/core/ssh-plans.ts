import { type HostCores, isThisHost } from "./host-list.js";
import type { NodePlan } from "./node-plan.js";
import { slotsOf } from "./slots.js";

export type SshPlans =
  | { readonly kind: "plans"; readonly plans: readonly NodePlan[] }
  /** Not one task fits on these. */
  | { readonly kind: "bad"; readonly why: string };

export interface SlotWishes {
  /** `-c`; may be a fraction. Null: not told. */
  readonly cpusPerTask: number | null;
  /** `-t`. Null: as many as fit. */
  readonly tasksPerNode: number | null;
}

/** What runs on which host of a `-s` list. `localhost` and other names of this host count as one. */
export function planSsh(hosts: readonly HostCores[], wishes: SlotWishes, thisHost: string): SshPlans {
  const cores = new Map<string, number>();
  let here: string | null = null;
  for (const each of hosts) {
    let { host } = each;
    if (isThisHost(host, thisHost)) host = here ??= host === "localhost" ? thisHost : host;
    cores.set(host, (cores.get(host) ?? 0) + each.cores);
  }
  const cpusPerTask = wishes.cpusPerTask ?? 1;
  const plans: NodePlan[] = [];
  const tooSmall: string[] = [];
  for (const [host, count] of cores) {
    const fit = slotsOf(count, cpusPerTask, wishes.tasksPerNode);
    if (fit === null) tooSmall.push(`${host} has ${count}`);
    else plans.push({ host, cores: count, ...fit });
  }
  if (tooSmall.length === 0) return { kind: "plans", plans };
  const named = tooSmall.slice(0, 5).join(", ");
  const more = tooSmall.length > 5 ? ` and ${tooSmall.length - 5} more` : "";
  return { kind: "bad", why: `not one task of ${cpusPerTask} cores fits: ${named}${more}` };
}
