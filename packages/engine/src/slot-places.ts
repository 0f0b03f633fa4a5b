import type { RunInfo } from "@taskmuster/kvs/protocol";
import { type EnginePlace, slotEnvironment } from "./core/environment.js";
import type { SlotShares } from "./core/slot-shares.js";
import type { LaunchPlace } from "./launcher/launcher.js";

/** What the launcher gives to whatever it starts in each slot: who and where it is, and the slot's share of the node. */
export function slotPlaces(
  run: Pick<RunInfo, "jobId" | "nameTasks" | "prefix">,
  engine: EnginePlace,
  { slots, shares }: Pick<SlotShares, "slots" | "shares">,
): readonly LaunchPlace[] {
  return Array.from({ length: slots }, (_, slot) => ({
    env: { ...slotEnvironment(run, engine, slot), ...shares[slot]?.env },
    cpus: shares[slot]?.cpus,
  }));
}
