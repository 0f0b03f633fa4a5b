import { randomBytes } from "node:crypto";
import { existsSync, renameSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import type { KvsStore } from "@taskmuster/kvs";
import { KvsError, KvsLostError } from "@taskmuster/kvs";
import { type RunId, encodeRunInfo, needsKey, protocolVersion, runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import {
  findServerBinary,
  type Keeper,
  type KvsAddress,
  type PrivateServer,
  type ServerExit,
  startKeeper,
  startPrivateServer,
  writeAddressFile,
} from "@taskmuster/kvs/server";
import type { Logger } from "pino";
import { Bell } from "./bell.js";
import { DriverCore, type PerEngineLines } from "./core/driver-core.js";
import { statusHeader } from "./core/status-line/index.js";
import type { Item } from "./core/task-file/index.js";
import { Driver } from "./driver.js";
import { Feeder, type ResumeChoice } from "./feeder.js";
import { LedgerFile } from "./ledger-file.js";
import { openLog } from "./log.js";
import { claimPrefix } from "./prefix-claim.js";
import type { RunFiles } from "./run-files.js";
import type { RunContext } from "./run-context.js";
import { StatusFile } from "./status-file.js";
import type { TaskSource } from "./task-source/task-source.js";

export interface RunSpec {
  readonly files: RunFiles;
  readonly taskFile: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly source: TaskSource;
  readonly perEngine: PerEngineLines;
  readonly first: readonly Item[];
  readonly resume: ResumeChoice | null;
  readonly logFile: string;
  readonly logLevel: string;
  readonly statusHeader: boolean;
  readonly failFast: boolean;
  readonly cpusPerTask: number;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly maxLosses: number;
  readonly sync: boolean;
  /** Null: a private server. */
  readonly kvs: KvsAddress | null;
  readonly keeperScript: string;
  readonly onNotice: (message: string) => void;
}

/** A context that is started before the store is ready, so that both start-ups overlap, and told of it later. */
export interface StartingContext extends RunContext {
  readonly slots: number;
  begin(store: { readonly runId: RunId; readonly address: KvsAddress }): void;
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
  const undo: (() => void | Promise<void>)[] = [];
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
  undo: (() => void | Promise<void>)[],
): Promise<StartedRun> {
  const { files } = spec;
  const binary = spec.kvs === null ? await serverBinary(spec.env) : null;
  const { setAside } = await claimPrefix(files, spec.resume?.files.paths ?? []);
  // Under its old name the same command line can be tried again.
  if (setAside !== null) undo.push(() => renameSync(setAside, files.status));
  const statusFile = await StatusFile.create(files.status, { sync: spec.sync });
  undo.push(
    () => rmSync(files.status, { force: true }),
    () => statusFile.close(),
  );
  const isNewLog = !existsSync(spec.logFile);
  const log = openLog(spec.logFile, spec.logLevel);
  if (isNewLog) undo.push(() => rmSync(spec.logFile, { force: true }));
  if (spec.statusHeader) await statusFile.append(Buffer.from(`${statusHeader}\n`));
  // One that is there already is that of the run that is resumed.
  const isFirstLedger = !existsSync(files.ledger);
  const ledger = new LedgerFile(files.ledger);
  if (isFirstLedger) undo.push(() => rmSync(files.ledger, { force: true }));
  undo.push(() => ledger.close());

  const id = runId(randomBytes(8).toString("hex"));
  const server = binary === null ? null : startPrivateServer({ binary });
  if (server !== null) undo.push(() => server.stop());
  const address = server?.address ?? spec.kvs;
  if (address === null || address === undefined) throw new KvsError("no key-value store");
  // The engine's start-up overlaps with the store's.
  const contexts = startContexts();
  undo.push(async () => {
    for (const context of contexts) context.kill();
    await Promise.all(contexts.map((context) => context.gone));
  });
  writeAddressFile(files.kvsInfo, { ...address, runId: id });
  undo.push(() => rmSync(files.kvsInfo, { force: true }));
  const keeper = server === null ? null : keep(server, spec);
  if (keeper !== null) undo.push(() => keeper.done());

  const store = await connect(address, id, server);
  undo.push(() => store.disconnect());
  const token = await store.open(
    encodeRunInfo({
      version: protocolVersion,
      jobId: files.jobId,
      nameTasks: spec.source.name,
      cwd: spec.cwd,
      prefix: files.prefix,
      leaseMs: spec.leaseMs,
      graceMs: spec.graceMs,
      perEngine: { start: [...spec.perEngine.start], stop: [...spec.perEngine.stop] },
    }),
  );
  undo.push(() => store.close(token));
  const at = new Date().toISOString();
  const host = hostname();
  ledger.append({
    kind: "run",
    version: 1,
    runId: id,
    at,
    host,
    pid: process.pid,
    cwd: spec.cwd,
    taskFile: spec.taskFile,
    resumedFrom: spec.resume?.files.paths ?? [],
    setAside,
  });
  ledger.append({ kind: "epoch", at, token });
  log.info({ runId: id, prefix: files.prefix, privateServer: server !== null }, "run started");

  const core = new DriverCore(
    {
      needs: needsKey({ cores: spec.cpusPerTask }),
      failFast: spec.failFast,
      maxLosses: spec.maxLosses,
      node: host,
      pid: process.pid,
    },
    spec.perEngine,
  );
  // What is expected, until the engines have joined and tell themselves.
  core.onMembers({
    engines: 0,
    slots: contexts.reduce((sum, context) => sum + context.slots, 0),
    claimed: 0,
  });
  for (const { id: context, taskLimit } of contexts) {
    if (taskLimit !== null) await store.limit(token, context, taskLimit);
  }
  const room = new Bell();
  const feeder = new Feeder({
    core,
    source: spec.source,
    first: spec.first,
    resume: spec.resume,
    room,
    onNotice: spec.onNotice,
  });
  const driver = new Driver({
    store,
    token,
    core,
    feeder,
    room,
    statusFile,
    ledger,
    contexts,
    log,
    leaseMs: spec.leaseMs,
    graceMs: spec.graceMs,
    onNotice: spec.onNotice,
  });
  for (const context of contexts) context.begin({ runId: id, address });
  let finishing = false;
  if (server !== null) {
    void server.exited.then((end) => {
      if (!finishing) driver.fail(new KvsLostError(`the private Redis server died (${howItEnded(end)})`));
    });
  }
  return {
    driver,
    setAside,
    finish: async () => {
      finishing = true;
      await closeStore(store, token, log);
      await server?.stop();
      await keeper?.done();
      rmSync(files.kvsInfo, { force: true });
      await spec.source.close();
      await spec.resume?.files.close();
      log.info("run ended");
    },
  };
}

async function serverBinary(env: NodeJS.ProcessEnv): Promise<string> {
  const binary = await findServerBinary(env);
  if (binary !== null) return binary;
  throw new KvsError(
    "there is no redis-server or valkey-server on PATH. Install one (Debian, Ubuntu: apt-get install redis-server; " +
      "Fedora, RHEL: dnf install redis; conda: conda install -c conda-forge redis-server), " +
      "or build one without root: dbutil build-redis (needs a network, make and a C compiler), " +
      "or name one that runs: --kvsserver HOST:PORT",
  );
}

/** Waits for a server that we started; one that is somebody else's must be there. */
async function connect(address: KvsAddress, id: RunId, server: PrivateServer | null): Promise<KvsStore> {
  if (server === null) return connectRedisStore({ address, runId: id, role: "driver" });
  const options = { address, runId: id, role: "driver", waitMs: serverStartMs } as const;
  const [store] = await Promise.all([connectRedisStore(options), server.ready]);
  return store;
}

/** Sees to it that a private server does not outlive us for longer than its engines need it. */
function keep(server: PrivateServer, spec: RunSpec): Keeper | null {
  const { pid, directory } = server;
  // It could not be started at all: `ready` says why.
  if (pid === undefined) return null;
  return startKeeper({
    node: process.execPath,
    keeperScript: spec.keeperScript,
    addressFile: spec.files.kvsInfo,
    server: { pid, directory },
    leaseMs: spec.leaseMs,
  });
}

function howItEnded(end: ServerExit): string {
  return end.signal ?? `exit status ${end.code ?? "unknown"}`;
}

async function closeStore(store: KvsStore, token: number, log: Logger): Promise<void> {
  try {
    await Promise.race([
      store.close(token),
      new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), closeMs).unref()),
    ]);
  } catch (error) {
    log.warn({ err: error }, "the run's keys could not be deleted");
  }
  await store.disconnect();
}

const serverStartMs = 20_000;
const closeMs = 5_000;
