import { randomBytes } from "node:crypto";
import { existsSync, renameSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, resolve } from "node:path";
import { whyUnsafe } from "@taskmuster/kvs";
import { type RunId, type RunInfo, runId } from "@taskmuster/kvs/protocol";
import type { KvsAddress, Listen } from "@taskmuster/kvs/server";
import type { Logger } from "pino";
import { type RunParts, assembleRun, coreOf, finishRun } from "./assemble-run.js";
import type { PerEngineLines } from "./core/driver-core.js";
import type { ListFacts } from "./core/ledger-entry.js";
import { statusHeader } from "./core/status-line/index.js";
import type { Item } from "./core/task-file/index.js";
import type { TaskPolicy } from "./core/task-policy.js";
import { type DbUtilPrograms, dbUtilScript, linkDbUtilScript, writeDbUtilScript } from "./dbutil-script.js";
import type { Driver } from "./driver.js";
import type { ResumeChoice } from "./feeder.js";
import { ledgerVersion } from "./core/ledger-entry.js";
import { LedgerFile } from "./ledger-file.js";
import { openLog } from "./log.js";
import { claimPrefix } from "./prefix-claim.js";
import type { RunFiles } from "./run-files.js";
import { epochEntry } from "./recovery/epoch-entry.js";
import type { StartingContext } from "./run-context.js";
import type { ResultSink } from "./result-sink.js";
import type { RunView } from "./core/run-view.js";
import { runInfoOf } from "./run-info.js";
import { serverBinary } from "./run-store.js";
import { reasonOf, StatusFile } from "./status-file.js";
import { openStore } from "./store/open-store.js";
import { ownFile } from "./store/own-file.js";
import { type Undo, newServer } from "./store/store-server.js";
import type { TaskSource } from "./task-source/task-source.js";

export interface RunSpec {
  readonly files: RunFiles;
  /** The command line, for a driver that takes the run over. */
  readonly args: readonly string[];
  /** As it was named; null: the list is no file. */
  readonly taskFile: string | null;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Called when the store is there, or nearly so: a list may come by way of it. Throws `TaskmusterError`. */
  readonly openList: (store: ListStore) => Promise<ReadyList>;
  readonly resume: ResumeChoice | null;
  readonly logFile: string;
  readonly logLevel: string;
  readonly statusHeader: boolean;
  readonly failFast: boolean;
  readonly cpusPerTask: number;
  readonly defaults: RunInfo["defaults"];
  readonly startMustSucceed: boolean;
  /** Waits for contexts that others add, for ever (`-S`). */
  readonly serves: boolean;
  readonly programs: DbUtilPrograms;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly maxLosses: number;
  readonly policy: TaskPolicy;
  readonly drainsFailing: boolean;
  readonly sync: boolean;
  /** Null: a private server. */
  readonly kvs: KvsAddress | null;
  /** Where a private server listens besides its socket; null: nowhere. */
  readonly listen: Listen | null;
  readonly keeperScript: string;
  readonly onNotice: (message: string) => void;
  /** What must be heard by those, too, who want to hear of errors only. */
  readonly onError: (message: string) => void;
}

/** Where a list can come from that comes by way of the store. */
export interface ListStore {
  readonly address: KvsAddress;
  readonly runId: RunId;
  /** It takes connections. */
  readonly ready: Promise<void>;
  readonly log: Logger;
}

/** A list whose first items have been read. */
export interface ReadyList {
  readonly source: TaskSource;
  readonly perEngine: PerEngineLines;
  readonly first: readonly Item[];
  /** Number of tasks; null: not known. */
  readonly total: number | null;
  /** Number of tasks and barriers; null: not known. */
  readonly ids: number | null;
  readonly facts: ListFacts;
  /** Reads it once more from its beginning; null: it cannot be. */
  readonly reread: (() => AsyncGenerator<readonly Item[]>) | null;
  /** Whom the results are told, beside the status file. */
  readonly sinks: readonly ResultSink[];
  /** Called when the run has ended and all is told, while the store is still there; also when it could not begin. Does not throw. */
  end(view: RunView | null): Promise<void>;
}

export interface StartedRun {
  readonly driver: Driver;
  /** Where the status file of an earlier run with this prefix was moved to. */
  readonly setAside: string | null;
  /** Releases the store and what belongs to it. To be called when `driver.run()` has resolved. */
  finish(): Promise<void>;
}

/**
 * Makes the run's files, gets its store and starts its contexts. When any of that fails, nothing half-started stays behind.
 * Throws `TaskmusterError`.
 */
export async function startRun(
  spec: RunSpec,
  startContexts: () => readonly StartingContext[],
): Promise<StartedRun> {
  const undo: Undo = [];
  try {
    return await start(spec, startContexts, undo);
  } catch (error) {
    for (const step of undo.toReversed()) await step();
    throw error;
  }
}

async function start(
  spec: RunSpec,
  startContexts: () => readonly StartingContext[],
  undo: Undo,
): Promise<StartedRun> {
  const { files } = spec;
  const where = spec.kvs === null ? { binary: await serverBinary(spec.env) } : { address: spec.kvs };
  const unsafe = whyUnsafe(dirname(files.prefix), "everybody");
  if (unsafe !== null)
    spec.onNotice(`${unsafe}: they could put files of theirs in the place of this run's; choose another -p`);
  const { setAside } = await claimPrefix(files, spec.resume?.files.paths ?? []);
  // Under its old name the same command line can be tried again.
  if (setAside !== null) undo.push(() => renameSync(setAside, files.status));
  const statusFile = await StatusFile.create(files.status, { sync: spec.sync });
  undo.push(
    () => rmSync(files.status, { force: true }),
    () => statusFile.close(),
  );
  const isNewLog = !existsSync(spec.logFile);
  const log = openLog(
    spec.logFile,
    spec.logLevel,
    (error) =>
      spec.onNotice(`cannot write the log ${spec.logFile}: ${reasonOf(error)}. The run goes on without it`),
    spec.logFile !== files.driverLog,
  );
  if (isNewLog) undo.push(() => rmSync(spec.logFile, { force: true }));
  if (spec.statusHeader) await statusFile.append(Buffer.from(`${statusHeader}\n`));
  // One that is there already is that of the run that is resumed.
  const isFirstLedger = !existsSync(files.ledger);
  const ledger = new LedgerFile(files.ledger);
  if (isFirstLedger) undo.push(() => rmSync(files.ledger, { force: true }));
  undo.push(() => void ledger.close());

  const id = runId(randomBytes(8).toString("hex"));
  const server = await newServer(spec, where, id, undo);
  const { address, ready } = server;
  // A list that comes by way of the store may take its time; no engine shall wait for it.
  const list = await spec.openList({ address, runId: id, ready, log });
  undo.push(() => list.end(null));
  // The engine's start-up overlaps with the store's.
  const contexts = startContexts();
  undo.push(async () => {
    for (const context of contexts) context.kill();
    await Promise.all(contexts.map((context) => context.gone));
  });

  let fail: (error: Error) => void = () => undefined;
  const checkOurs = ownFile(files.status);
  await server.watch({ log, checkOurs, onGivenUp: (error) => fail(error) });
  const { store, token } = await openStore(server, {
    info: runInfoOf(spec, list),
    checkOurs,
    leaseMs: spec.leaseMs,
  });
  undo.push(() => store.disconnect());
  undo.push(() => store.close());
  // Not before: who comes by it must find the run.
  writeDbUtilScript(files.dbUtil, dbUtilScript(files.prefix, spec.programs));
  undo.push(() => rmSync(files.dbUtil, { force: true }));
  const at = new Date().toISOString();
  const host = hostname();
  ledger.begin(
    {
      kind: "run",
      version: ledgerVersion,
      runId: id,
      at,
      host,
      pid: process.pid,
      cwd: spec.cwd,
      taskFile: spec.taskFile ?? list.source.name,
      resumedFrom: spec.resume?.files.paths ?? [],
      setAside,
      ids: list.ids,
      args: spec.args,
      list: list.facts,
      options: {
        failFast: spec.failFast,
        retryFailed: spec.resume?.retryFailed ?? false,
        forceResume: spec.resume?.force ?? false,
        maxLosses: spec.maxLosses,
        ...spec.policy,
        leaseMs: spec.leaseMs,
        graceMs: spec.graceMs,
        cpusPerTask: spec.cpusPerTask,
        sync: spec.sync,
        serves: spec.serves,
      },
    },
    epochEntry(at, token, address),
  );
  undo.push(() => {
    const end = { reason: "notStarted", done: 0, ids: 0, listRead: false, bytes: 0 };
    ledger.append({ kind: "end", at: new Date().toISOString(), ...end });
  });
  log.info({ runId: id, prefix: files.prefix, privateServer: address.private }, "run started");

  const parts: RunParts = {
    spec,
    list,
    core: coreOf(spec, list),
    store,
    privateStore: address.private,
    token,
    runId: id,
    address,
    contexts,
    statusFile,
    ledger,
    log,
    startedAt: Date.now(),
    inherited: null,
    mayBegin: null,
  };
  const driver = await assembleRun(parts);
  // Only now, when nothing can fail any more: the newest run is one that works.
  if (spec.taskFile !== null) linkDbUtilScript(`${resolve(spec.cwd, spec.taskFile)}_dbUtil.sh`, files.dbUtil);
  fail = (error) => driver.fail(error);
  return {
    driver,
    setAside,
    finish: async () => {
      await finishRun(parts, driver, async () => {
        await server.dismiss();
        rmSync(files.kvsInfo, { force: true });
      });
    },
  };
}
