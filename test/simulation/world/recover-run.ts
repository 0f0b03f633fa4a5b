import type { KvsStore } from "@taskmuster/kvs";
import { type RunId, runId } from "@taskmuster/kvs/protocol";
import { parseLedger } from "../../../packages/driver/src/core/audit/ledger.js";
import { LedgerFile } from "../../../packages/driver/src/ledger-file.js";
import { epochEntry } from "../../../packages/driver/src/recovery/epoch-entry.js";
import { inheritRun } from "../../../packages/driver/src/recovery/inherit-run.js";
import { expectSilence } from "../../../packages/driver/src/recovery/old-driver.js";
import { type Remains, marksOf } from "../../../packages/driver/src/recovery/remains.js";
import { type ShutOut, shutOut } from "../../../packages/driver/src/recovery/shut-out.js";
import { type TakenStore, takeStore } from "../../../packages/driver/src/recovery/take-store.js";
import { LastingStore } from "../../../packages/driver/src/store/lasting-store.js";
import { ownFile } from "../../../packages/driver/src/store/own-file.js";
import type { Undo } from "../../../packages/driver/src/store/store-server.js";
import { rowsIn } from "../truth/rows-in.js";
import type { Begun, DriverDesk } from "./driver-desk.js";

/** What recovery/recover-run.ts does. Throws when there is nothing to recover, or it cannot be done now. */
export async function recoverRun(desk: DriverDesk): Promise<Begun> {
  const undo: Undo = [];
  try {
    return await recover(desk, undo);
  } catch (error) {
    for (const step of undo.toReversed()) await step();
    throw error;
  }
}

interface Held {
  readonly run: RunId;
  readonly first: KvsStore;
  readonly token: number;
  readonly taken: TakenStore | null;
  readonly shut: ShutOut | null;
}

async function recover(desk: DriverDesk, undo: Undo): Promise<Begun> {
  const { files, world, spec, info, leaseMs } = desk;
  const remains = remainsOf(desk);
  const before = runId(remains.run.runId);
  const old = await desk.connect(world.runOf(spec.prefix) ?? before);
  undo.push(() => old.disconnect());
  const isThere = (await old.snapshot()).open;
  if (isThere && spec.recovers?.looks === true) await expectSilence(old, remains);
  const ledger = new LedgerFile(files.ledger);
  undo.push(() => void ledger.close());
  let checkOurs = ownFile(files.status);
  const held = isThere ? await takeOver(desk, remains, old, ledger) : await openAnew(desk, old, ledger, undo);
  const { run, first, token, taken, shut } = held;
  const store = new LastingStore(first, token, {
    info,
    connect: (signal) => desk.connect(run, signal),
    checkOurs: () => checkOurs(),
    leaseMs,
  });
  world.bug.lasting?.(store);
  undo.push(() => store.disconnect());
  if (taken !== null) store.remember(taken.snapshot);
  const core = desk.newCore();
  let witness = 0;
  const { items } = spec.plan;
  const { inherited, statusFile, mayBegin } = await inheritRun(core, {
    remains,
    ledger,
    store,
    token,
    list: {
      reread: async function* () {
        yield items;
      },
    },
    taken,
    whyGone: isThere ? null : "its server knows nothing of the run",
    shut,
    leaseMs,
    graceMs: spec.plan.graceMs,
    sync: true,
    onNotice: (message) => world.say(desk.process.name, () => message),
    onFile: () => {
      checkOurs = ownFile(files.status);
      witness = world.truth.newDriver(rowsIn(world.disk.file(files.status)?.bytes() ?? Buffer.alloc(0)).rows);
    },
    undo,
  });
  const contexts = taken !== null && taken.engines.length > 0 ? [] : desk.startContexts();
  const parts = { run, store, token, core, statusFile, ledger, contexts };
  return { ...parts, resume: null, inherited, mayBegin, witness, shut };
}

async function takeOver(
  { world, spec, files, process: self, address }: DriverDesk,
  { run }: Remains,
  old: KvsStore,
  ledger: LedgerFile,
): Promise<Held> {
  const taken = await takeStore(old, {
    marks: marksOf(files, run),
    ledger,
    onToken: (token) => ledger.begin(epochEntry(new Date().toISOString(), token, address)),
    onNotice: (message) => world.say(self.name, () => message),
  });
  if (taken === null) throw new Error("the run went out of its store");
  return {
    run: world.runOf(spec.prefix) ?? runId(run.runId),
    first: old,
    token: taken.token,
    taken,
    shut: null,
  };
}

async function openAnew(desk: DriverDesk, old: KvsStore, ledger: LedgerFile, undo: Undo): Promise<Held> {
  const shut = await shutOut(old);
  undo.push(() => shut.end());
  const { world, spec, address } = desk;
  const run = runId(`simulated${spec.number}`);
  const before = world.runOf(spec.prefix);
  world.homes.set(run, spec.prefix);
  undo.push(() => {
    if (before === null) return;
    // The last one is the one that is found.
    world.homes.delete(before);
    world.homes.set(before, spec.prefix);
  });
  const { first, token } = await desk.openFirst(run);
  undo.push(() => first.close(token).catch(() => undefined));
  ledger.begin(epochEntry(new Date().toISOString(), token, address));
  return { run, first, token, taken: null, shut };
}

function remainsOf({ files, world }: DriverDesk): Remains {
  const text = world.disk.file(files.ledger)?.bytes().toString() ?? "";
  const section = parseLedger(text).sections.at(-1);
  const run = section?.run ?? null;
  const { args = null, list = null } = run ?? {};
  const driver = section?.drivers.at(-1);
  if (section === undefined || run === null || args === null || list === null || driver === undefined)
    throw new Error("the ledger does not say enough");
  if (section.end !== null) throw new Error(`the run has ended (${section.end.reason})`);
  return { files, run: { ...run, args, list }, section, driver, address: null };
}
