import { readFileSync } from "node:fs";
import { allowedCpus } from "./core/cpu-list.js";
import { type SlotShares, slotShares } from "./core/slot-shares.js";
import type { EngineConfig } from "./engine-config.js";

/** What each slot has of this node. */
export function divideNode(config: EngineConfig): SlotShares {
  return slotShares({ ...config, env: process.env, cpus: config.allocation ? ourCpus() : [] });
}

/** Empty where the system does not tell. */
function ourCpus(): readonly number[] {
  try {
    return allowedCpus(readFileSync("/proc/self/status", "latin1"));
  } catch {
    return [];
  }
}
