import type { RunInfo } from "@taskmuster/kvs/protocol";
import type { ContextSettings } from "./context-settings.js";

/** What a context was told itself goes before what the run was told. */
export function withDefaults(settings: ContextSettings, defaults: RunInfo["defaults"]): RunInfo["defaults"] {
  return {
    ...defaults,
    cpusPerTask: settings.cpusPerTask ?? defaults.cpusPerTask,
    tasksPerNode: settings.tasksPerNode ?? defaults.tasksPerNode,
    envResources: settings.envResources.length > 0 ? [...settings.envResources] : defaults.envResources,
    idleTimeoutMs: settings.idleTimeoutMs ?? defaults.idleTimeoutMs,
  };
}
