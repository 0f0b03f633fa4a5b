export { Context, type ContextEnd, type ContextEvents, type ContextOptions } from "./context/context.js";
export type {
  BegunConfig,
  ContextMethod,
  EngineEnd,
  EngineHandle,
  EngineProgram,
} from "./context/engine-handle.js";
export { LocalMethod } from "./context/local.js";
export { Retirer, type RetireCommand, type RetirerOptions } from "./context/retirer.js";
export { SlurmMethod, type SlurmMethodOptions } from "./context/slurm.js";
export { SshMethod, type SshMethodOptions } from "./context/ssh.js";
export { type HostCores, type HostListResult, isThisHost, parseHostList } from "./core/host-list.js";
export type { NodePlan } from "./core/node-plan.js";
export { mostSlots } from "./core/slots.js";
export {
  inSlurmJob,
  planSlurm,
  slurmLabel,
  type SlurmLabel,
  type SlurmPlans,
  type SlurmWishes,
} from "./core/slurm-environment.js";
export { slurmOwnNode } from "./core/slurm-own-node.js";
export { planSsh, type SlotWishes, type SshPlans } from "./core/ssh-plans.js";
export type { EngineConfig } from "./engine-config.js";
