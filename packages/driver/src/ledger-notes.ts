import type { DriverCore } from "./core/driver-core.js";
import { stopWords } from "./core/end-reason.js";
import type { LedgerEntry } from "./core/ledger-entry.js";
import { rangesOf } from "./core/unrecorded.js";
import type { LedgerFile } from "./ledger-file.js";

/** What the ledger is told of single tasks: before their reports are acknowledged. */
export function noteExceptions(core: DriverCore, ledger: LedgerFile): void {
  const taken = core.takeExceptions();
  if (taken.length === 0) return;
  const at = new Date().toISOString();
  const why = stopWords(core.reason);
  ledger.append(
    ...taken.map((each): LedgerEntry =>
      each.kind === "stoppedTasks" ? { ...each, at, why: each.lost ? "" : why } : { ...each, at },
    ),
  );
}

/** How the run has ended. `bytes`: of the status file. `unrecorded`: tasks that ended and have no row, and why. */
export function noteEnd(
  core: DriverCore,
  ledger: LedgerFile,
  end: {
    readonly bytes: number;
    readonly unrecorded: { readonly ids: readonly number[]; readonly why: string };
  },
): void {
  const at = new Date().toISOString();
  noteExceptions(core, ledger);
  const { ids: missing, why } = end.unrecorded;
  core.onUnrecorded(missing.length);
  if (missing.length > 0) ledger.append({ kind: "unrecorded", at, why, ids: rangesOf(missing) });
  const { ids, whole } = core.listRead;
  ledger.append({
    kind: "end",
    at,
    reason: core.reason?.kind ?? "finished",
    done: core.view.done - missing.length,
    ids,
    listRead: whole,
    bytes: end.bytes,
  });
}
