import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { type KvsAddress, KvsError, type KvsStore } from "@taskmuster/kvs";
import {
  type FencingToken,
  type RunId,
  encodeRunInfo,
  protocolVersion,
  runId,
} from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { adoptServer, parseEndpoint, writeAddressFile } from "@taskmuster/kvs/server";
import type { Logger } from "pino";
import type { LedgerFile } from "../ledger-file.js";
import { howServerEnded, keep, serverBinary, serverStartMs, startServer } from "../run-store.js";
import type { ReadyList } from "../start-run.js";
import { epochEntry } from "./epoch-entry.js";
import type { OldStore } from "./old-store.js";
import type { RecoverSpec } from "./recover-run.js";
import { type Remains, marksOf } from "./remains.js";
import { type TakenStore, takeStore } from "./take-store.js";

/** A store that this driver has the token of, and how it is ended. */
export interface Held {
  readonly store: KvsStore;
  readonly token: FencingToken;
  readonly runId: RunId;
  readonly address: KvsAddress;
  /** Null: the store of before is gone. */
  readonly taken: TakenStore | null;
  /** Tells when a private server dies that we have started. */
  readonly onDeath: (listener: (how: string) => void) => void;
  readonly dismiss: () => Promise<void>;
  readonly list: ReadyList;
}

/** What is to be done when the rest fails, last one first. */
export type Undo = (() => void | Promise<void>)[];

/** Raises the token in the old store; or opens the run in a new one. */
export async function holdStore(
  spec: RecoverSpec,
  remains: Remains,
  old: OldStore,
  ledger: LedgerFile,
  log: Logger,
  undo: Undo,
): Promise<Held> {
  if (old.kind === "gone") {
    if (old.isDeadHere) clearAway(remains.address);
    return openStore(spec, old, ledger, log, undo);
  }
  const { store, address } = old;
  const { storeHost } = remains.driver;
  const taken = await takeStore(store, {
    marks: marksOf(spec.files, remains.run),
    ledger,
    onToken: (token) =>
      ledger.begin(epochEntry(new Date().toISOString(), token, address, storeHost ?? undefined)),
    onNotice: spec.onNotice,
  });
  if (taken === null)
    throw new KvsError("the run went out of its key-value store while it was looked at; try again");
  const server = address.private ? await adoptServer(address) : null;
  // That of before may be gone, too.
  const here = server?.here ?? null;
  const keeper = here === null ? null : keep(here, spec);
  const list = await spec.openList({ address, runId: address.runId, ready: Promise.resolve(), log });
  return {
    store,
    token: taken.token,
    runId: address.runId,
    address,
    taken,
    list,
    onDeath: () => undefined,
    dismiss: async () => {
      await server?.stop();
      await keeper?.done();
    },
  };
}

/** What a private server of this host has left that is dead. */
function clearAway(address: KvsAddress | null): void {
  for (const each of address?.addresses ?? []) {
    const endpoint = parseEndpoint(each);
    const directory = endpoint.kind === "unix" ? dirname(endpoint.path) : "";
    if (/^taskmuster-\w+$/.test(basename(directory))) rmSync(directory, { recursive: true, force: true });
  }
}

/** As the run was told them that began it. */
export function runInfoOf(spec: RecoverSpec, list: ReadyList): Uint8Array {
  return encodeRunInfo({
    version: protocolVersion,
    jobId: spec.files.jobId,
    nameTasks: list.source.name,
    cwd: spec.cwd,
    prefix: spec.files.prefix,
    leaseMs: spec.leaseMs,
    graceMs: spec.graceMs,
    perEngine: { start: [...list.perEngine.start], stop: [...list.perEngine.stop] },
    startMustSucceed: spec.startMustSucceed,
    defaults: spec.defaults,
  });
}

async function openStore(
  spec: RecoverSpec,
  old: Extract<OldStore, { readonly kind: "gone" }>,
  ledger: LedgerFile,
  log: Logger,
  undo: Undo,
): Promise<Held> {
  const { files } = spec;
  spec.onNotice(
    `the key-value store of before is gone (${old.why}); what ended and was not written down is run again`,
  );
  const given = old.server ?? spec.kvs;
  const id = runId(randomBytes(8).toString("hex"));
  const { listen, onNotice } = spec;
  const server =
    given === null ? await startServer(await serverBinary(spec.env), { runId: id, listen, onNotice }) : null;
  if (server !== null) undo.push(() => server.stop());
  const address = server?.address ?? given;
  if (address === null) throw new KvsError("no key-value store");
  spec.checkAddress(address);
  writeAddressFile(files.kvsInfo, { ...address, runId: id });
  undo.push(() => rmSync(files.kvsInfo, { force: true }));
  const keeper = server === null ? null : keep(server, spec);
  if (keeper !== null) undo.push(() => keeper.done());
  const list = await spec.openList({ address, runId: id, ready: server?.ready ?? Promise.resolve(), log });
  await server?.ready;
  const waitMs = server === null ? 0 : serverStartMs;
  const store = await connectRedisStore({ address, runId: id, role: "driver", waitMs });
  undo.push(() => store.disconnect());
  const token = await store.open(runInfoOf(spec, list));
  undo.push(() => store.close(token));
  ledger.begin(epochEntry(new Date().toISOString(), token, address));
  return {
    store,
    token,
    runId: id,
    address,
    taken: null,
    list,
    onDeath: (listener) => void server?.exited.then((end) => listener(howServerEnded(end))),
    dismiss: async () => {
      await server?.stop();
      await keeper?.done();
    },
  };
}
