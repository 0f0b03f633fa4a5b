import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { FencedError, type KvsAddress, KvsError } from "@taskmuster/kvs";
import { type FencingToken, runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { type RunAddress, parseEndpoint } from "@taskmuster/kvs/server";
import type { Logger } from "pino";
import type { LedgerFile } from "../ledger-file.js";
import { runInfoOf } from "../run-info.js";
import { serverBinary } from "../run-store.js";
import type { ReadyList } from "../start-run.js";
import type { LastingStore } from "../store/lasting-store.js";
import { lastingStore, openStore } from "../store/open-store.js";
import {
  type ServerWatch,
  type StoreServer,
  type Undo,
  inheritedServer,
  newServer,
} from "../store/store-server.js";
import { epochEntry } from "./epoch-entry.js";
import type { OldStore } from "./old-store.js";
import type { RecoverSpec } from "./recover-run.js";
import { type Remains, marksOf, usage } from "./remains.js";
import { type ShutOut, shutOut } from "./shut-out.js";
import { type TakenStore, takeStore } from "./take-store.js";

/** A store that this driver has the token of. */
export interface Held {
  readonly server: StoreServer;
  readonly store: LastingStore;
  readonly token: FencingToken;
  readonly list: ReadyList;
  /** Null: the store of before is gone. */
  readonly taken: TakenStore | null;
  /** Of a store that has forgotten the run: keeps out whoever had it; null: nobody can be there. */
  readonly shut: ShutOut | null;
}

interface Hold {
  readonly ledger: LedgerFile;
  readonly undo: Undo;
  readonly watch: ServerWatch;
}

/** Raises the token in the old store; or opens the run in a new one. */
export async function holdStore(
  spec: RecoverSpec,
  remains: Remains,
  old: OldStore,
  hold: Hold,
): Promise<Held> {
  if (old.kind === "answers") return takeOver(spec, remains, old, hold);
  if (old.isDeadHere) clearAway(remains.address);
  return openAnew(spec, old, hold);
}

async function takeOver(
  spec: RecoverSpec,
  { files, run, driver }: Remains,
  { store, address, lasts }: Extract<OldStore, { readonly kind: "answers" }>,
  { ledger, undo, watch }: Hold,
): Promise<Held> {
  const taken = await takeStore(store, {
    marks: marksOf(files, run),
    ledger,
    onToken: (token) =>
      ledger.begin(epochEntry(new Date().toISOString(), token, address, driver.storeHost ?? undefined)),
    onNotice: spec.onNotice,
  });
  if (taken === null)
    throw new KvsError("the run went out of its key-value store while it was looked at; try again");
  const { token } = taken;
  const server = await inheritedServer(spec, address, driver.storeHost);
  const list = await openList(spec, server, watch.log);
  await server.watch(watch);
  const lasting = lastingStore(server, store, token, { ...spec, ...watch, info: runInfoOf(spec, list) });
  lasting.remember(taken.snapshot);
  lasts();
  undo.push(() => lasting.disconnect());
  return { server, store: lasting, token, list, taken, shut: null };
}

/** What a private server of this host has left that is dead. */
function clearAway(address: KvsAddress | null): void {
  for (const each of address?.addresses ?? []) {
    const endpoint = parseEndpoint(each);
    const directory = endpoint.kind === "unix" ? dirname(endpoint.path) : "";
    if (/^taskmuster-\w+$/.test(basename(directory))) rmSync(directory, { recursive: true, force: true });
  }
}

async function openAnew(
  spec: RecoverSpec,
  old: Extract<OldStore, { readonly kind: "gone" }>,
  { ledger, undo, watch }: Hold,
): Promise<Held> {
  spec.onNotice(
    `the key-value store of before is gone (${old.why}); what ended and was not written down is run again`,
  );
  const given = old.server ?? spec.kvs;
  const where = given === null ? { binary: await serverBinary(spec.env) } : { address: given };
  const shut = old.server === null ? null : await shutOutOf(old.server, spec);
  if (shut !== null) undo.push(() => shut.end());
  const server = await newServer(spec, where, runId(randomBytes(8).toString("hex")), undo);
  spec.checkAddress(server.address);
  const list = await openList(spec, server, watch.log);
  await server.watch(watch);
  const { store, token } = await openStore(server, { ...spec, ...watch, info: runInfoOf(spec, list) });
  undo.push(
    () => store.disconnect(),
    () => store.close(),
  );
  ledger.begin(epochEntry(new Date().toISOString(), token, server.address));
  return { server, store, token, list, taken: null, shut };
}

/** Its driver may be alive, though nobody hears of it. */
async function shutOutOf(address: RunAddress, spec: RecoverSpec): Promise<ShutOut> {
  const store = await connectRedisStore({ address, runId: address.runId, role: "driver" });
  try {
    return await shutOut(store);
  } catch (error) {
    await store.disconnect();
    if (!(error instanceof FencedError)) throw error;
    throw usage(`the driver of ${spec.files.prefix} is at work: it has opened the run again in its store`);
  }
}

function openList(
  spec: RecoverSpec,
  { address, runId: id, ready }: StoreServer,
  log: Logger,
): Promise<ReadyList> {
  return spec.openList({ address, runId: id, ready, log });
}
