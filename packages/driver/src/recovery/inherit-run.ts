import type { FencingToken } from "@taskmuster/kvs/protocol";
import type { DriverCore } from "../core/driver-core.js";
import type { Inheritance } from "../core/inheritance.js";
import { UnknownTasks } from "../core/unknown-tasks.js";
import type { LedgerFile } from "../ledger-file.js";
import type { ReadyList } from "../start-run.js";
import type { StatusFile } from "../status-file.js";
import type { DriverStore } from "../store/driver-store.js";
import type { Undo } from "../store/store-server.js";
import { copyRows } from "./copy-rows.js";
import { inheritanceOf, readKnown } from "./inherit.js";
import type { Remains } from "./remains.js";
import { waitForSilence } from "./silence.js";
import type { ShutOut } from "./shut-out.js";
import type { TakenStore } from "./take-store.js";

/** A run whose store this driver has the token of. */
interface HeldRun {
  readonly remains: Remains;
  readonly ledger: LedgerFile;
  readonly store: Pick<DriverStore, "receive" | "post">;
  readonly token: FencingToken;
  readonly list: Pick<ReadyList, "reread">;
  /** Null: the store of before is gone. */
  readonly taken: TakenStore | null;
  readonly whyGone: string | null;
  readonly shut: ShutOut | null;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly sync: boolean;
  readonly onNotice: (message: string) => void;
  /** From now on the status file is this driver's own. */
  readonly onFile: () => void;
  readonly undo: Undo;
}

interface InheritedRun {
  readonly inherited: Inheritance;
  readonly statusFile: StatusFile;
  /** Tasks that have a row. */
  readonly ended: number;
  /** Tasks may be handed out; null: at once. Does not reject. */
  readonly mayBegin: Promise<void> | null;
}

/** Makes the status file this driver's own, and tells its core of all that the file, the ledger and the store know. Throws `TaskmusterError`. */
export async function inheritRun(core: DriverCore, run: HeldRun): Promise<InheritedRun> {
  const { remains, ledger, store, token, list, taken, whyGone, onNotice, undo } = run;
  const { files, section } = remains;
  const inherited = inheritanceOf(remains, taken);
  const copied = await copyRows(files.status, (row) => {
    if (row.kind === "task" || row.kind === "skipped") inherited.sawTask(row.id);
    core.past.onRow(row, inherited.wasGivenUp(row.id));
  });
  undo.push(() => copied.discard());
  if (copied.tornBytes > 0) onNotice(`${files.status}: the last row was cut off, and is left out`);
  if (copied.badLines > 0)
    onNotice(`${files.status}: ${copied.badLines} line(s) are no rows, and stay as they are`);
  // Nobody may have taken it from us meanwhile: from now on the file is ours.
  await store.receive(token, 1);
  const statusFile = await copied.replace({ sync: run.sync });
  run.onFile();
  undo.push(() => statusFile.close());
  // Should the store have forgotten once more, the driver of before may have been there: then it is as if nothing had been done.
  await run.shut?.check();

  const { done, skipped } = core.view;
  // What the store tells is all there is.
  const window = taken === null ? section.window : 0;
  // Its store had forgotten, and not all had said what they hold, when the driver died.
  const isAwaiting = taken?.engines.some(({ awaited }) => awaited) ?? true;
  const waits = isAwaiting || section.isUnsettled;
  const { posts, unknown } = await readKnown(
    list,
    core,
    inherited,
    new UnknownTasks(inherited, window),
    waits,
  );
  if (whyGone !== null && unknown.count > 0) {
    const { ids, tasks } = unknown;
    ledger.begin({ kind: "lostStore", at: new Date().toISOString(), why: whyGone, ids, tasks });
  }
  for (const [key, id] of posts) await store.post(token, key, String(id));
  if (taken !== null) core.onReports(taken.reports, Date.now());
  return { inherited, statusFile, ended: done + skipped, mayBegin: waits ? settle(run) : null };
}

async function settle({ remains, leaseMs, graceMs, shut, onNotice, ledger }: HeldRun): Promise<void> {
  // What is told to stop has its grace.
  await waitForSilence(remains, leaseMs + (shut === null ? 0 : graceMs), onNotice);
  ledger.append({ kind: "settled", at: new Date().toISOString() });
}
