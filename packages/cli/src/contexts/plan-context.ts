import { type NodePlan, isThisHost, mostSlots, planSlurm, planSsh, slurmLabel } from "@taskmuster/engine";
import type { ContextInfo, RunInfo } from "@taskmuster/kvs/protocol";
import { UsageError } from "../usage-error.js";
import type { ContextSettings, Where } from "./context-settings.js";

type Env = Readonly<Record<string, string | undefined>>;

export interface ContextName {
  readonly kind: ContextInfo["kind"];
  /** As in `EnrolRequest`. */
  readonly label: string;
  readonly exactLabel: boolean;
}

/** What a context will run on which node. */
export interface ContextPlan extends ContextName {
  readonly plans: readonly NodePlan[];
  /** For people. */
  readonly notices: readonly string[];
}

/** Kind and label, which do not depend on what the run was told. Throws `UsageError`. */
export function nameContext(
  settings: Pick<ContextSettings, "where" | "label">,
  env: Env,
  thisHost: string,
): ContextName {
  const kind = kindOf(settings.where, thisHost);
  if (settings.label !== null) return { kind, label: settings.label, exactLabel: true };
  if (kind !== "slurm") return { kind, label: "SSH#", exactLabel: false };
  const label = slurmLabel(env);
  if (label.kind === "bad") throw new UsageError(`${label.variable}: ${label.why}`);
  return { kind, label: label.label, exactLabel: false };
}

/** `wishes`: `-c` and `-t` of the context, else of the run. Throws `UsageError`. */
export function planContext(
  settings: Pick<ContextSettings, "where" | "label" | "fill">,
  wishes: Pick<RunInfo["defaults"], "cpusPerTask" | "tasksPerNode">,
  env: Env,
  thisHost: string,
): ContextPlan {
  const { where } = settings;
  const name = nameContext(settings, env, thisHost);
  switch (where.kind) {
    case "none":
      return { ...name, plans: [], notices: [] };
    case "hosts": {
      const planned = planSsh(where.hosts, wishes, thisHost);
      if (planned.kind === "bad") throw new UsageError(planned.why);
      return { ...name, plans: checked(planned.plans), notices: [] };
    }
    case "slurm": {
      const planned = planSlurm(env, { ...wishes, fill: settings.fill });
      if (planned.kind === "bad") throw new UsageError(`${planned.variable}: ${planned.why}`);
      return { ...name, plans: checked(planned.plans), notices: planned.notices };
    }
  }
}

function kindOf(where: Where, thisHost: string): ContextInfo["kind"] {
  switch (where.kind) {
    case "slurm":
      return "slurm";
    case "none":
      return "local";
    case "hosts":
      return where.hosts.every(({ host }) => isThisHost(host, thisHost)) ? "local" : "ssh";
  }
}

function checked(plans: readonly NodePlan[]): readonly NodePlan[] {
  const many = plans.find(({ slots }) => slots > mostSlots);
  if (many === undefined) return plans;
  throw new UsageError(
    `${many.slots} tasks at a time on ${many.host} are too many: no more than ${mostSlots}, by -s, -c and -t`,
  );
}
