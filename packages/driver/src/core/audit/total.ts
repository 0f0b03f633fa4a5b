import type { LedgerSection } from "./ledger.js";

/** How many ids, those of tasks and of barriers, a list has. */
export interface Total {
  readonly ids: number;
  /** `highest`: at least up to the highest id that has a row; nothing tells whether there are more. */
  readonly by: "list" | "ledger" | "end" | "highest";
}

/** `list`: as counted in the list itself; null: it was not named. `highest`: -1 without any row. */
export function totalOf(list: number | null, section: LedgerSection | null, highest: number): Total {
  if (list !== null) return { ids: list, by: "list" };
  const { run = null, end = null } = section ?? {};
  if (run !== null && run.ids !== null) return { ids: run.ids, by: "ledger" };
  if (end !== null && end.ids !== null && end.listRead === true) return { ids: end.ids, by: "ledger" };
  const seen = highest + 1;
  // The driver has been at the list's end, and whatever was read has a row then.
  if (end?.reason === "finished") return { ids: seen, by: "end" };
  return { ids: Math.max(seen, end?.ids ?? 0), by: "highest" };
}
