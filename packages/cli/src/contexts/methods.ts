import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import {
  type ContextMethod,
  type EngineProgram,
  LocalMethod,
  type NodePlan,
  Retirer,
  SlurmMethod,
  SshMethod,
  isThisHost,
  slurmOwnNode,
} from "@taskmuster/engine";
import type { RetireChoice } from "./context-settings.js";
import type { ContextPlan } from "./plan-context.js";

export interface MethodOptions {
  readonly plan: Pick<ContextPlan, "kind">;
  readonly retire: RetireChoice;
  readonly leaseMs: number;
  readonly cwd: string;
  /** What tasks inherit. */
  readonly env: NodeJS.ProcessEnv;
  readonly onNotice: (message: string) => void;
}

/** How an engine is started on each node. Throws a usage error. */
export function methodFor(options: MethodOptions): (node: NodePlan) => ContextMethod {
  const { plan, cwd, env, leaseMs, onNotice } = options;
  const program: EngineProgram = { node: process.execPath, engineScript, cwd, env };
  if (plan.kind === "slurm") {
    const slurm = new SlurmMethod({ ...program, onNotice });
    return () => slurm;
  }
  const local = new LocalMethod(program);
  const ssh = new SshMethod({ ...program, leaseMs });
  return ({ host }) => (isThisHost(host, hostname()) ? local : ssh);
}

/** What hands nodes back; null: nothing does. */
export function retirerFor({ plan, retire, env, onNotice }: MethodOptions): Retirer | null {
  const ownNode = plan.kind === "slurm" ? slurmOwnNode(env, hostname()) : null;
  switch (retire.kind) {
    case "never":
      return null;
    case "command":
      return new Retirer({ command: retire, env, ownNode, onNotice });
    case "default":
      return plan.kind === "slurm"
        ? new Retirer({ command: { kind: "slurm" }, env, ownNode, onNotice })
        : null;
  }
}

/** Beside us in the directory of bundles. */
const engineScript = fileURLToPath(new URL("engine.js", import.meta.url));
