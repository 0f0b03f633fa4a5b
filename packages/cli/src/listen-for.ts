import type { Listen } from "@taskmuster/kvs/server";
import { parseUseAddress } from "@taskmuster/kvs/server";
import type { ContextPlan } from "./contexts/plan-context.js";
import type { Settings } from "./settings.js";

/**
 * Where a private server listens besides its socket; null: nowhere. A run whose engines are all on this host is reachable by
 * nobody else, unless it was asked for. Throws a usage error.
 */
export function listenFor(
  settings: Pick<Settings, "useAddress" | "serves">,
  plan: Pick<ContextPlan, "kind"> | null,
): Listen | null {
  if (settings.useAddress !== null) return parseUseAddress(settings.useAddress);
  return settings.serves || (plan !== null && plan.kind !== "local") ? { kind: "everywhere" } : null;
}
