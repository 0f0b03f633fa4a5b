import { rmSync } from "node:fs";
import { hostname } from "node:os";
import { type KvsAddress, KvsClosedError, KvsError, KvsLostError } from "@taskmuster/kvs";
import type { EngineSnapshot } from "@taskmuster/kvs/protocol";
import { type RunParts, assembleRun, coreOf, finishRun } from "../assemble-run.js";
import { dbUtilScript, writeDbUtilScript } from "../dbutil-script.js";
import { LedgerFile } from "../ledger-file.js";
import { openLog } from "../log.js";
import type { StartingContext } from "../run-context.js";
import type { RunSpec, StartedRun } from "../start-run.js";
import { reasonOf } from "../status-file.js";
import { ownFile } from "../store/own-file.js";
import type { Undo } from "../store/store-server.js";
import { recoverCommand } from "./earlier-run.js";
import { holdStore } from "./hold-store.js";
import { inheritRun } from "./inherit-run.js";
import { expectSilence, findOldDriver } from "./old-driver.js";
import { findOldStore } from "./old-store.js";
import { lockRecovery } from "./recovery-lock.js";
import { readRemains } from "./remains.js";
import type { TakenStore } from "./take-store.js";

export interface RecoverSpec extends RunSpec {
  /** As the user says: a store that does not answer counts as gone, with all that worked for it. */
  readonly assumeDead: boolean;
  /** Throws a usage error when contexts could not reach the store there. */
  readonly checkAddress: (address: KvsAddress) => void;
}

/** Starts contexts, beside engines that are there already. */
type StartContexts = (engines: readonly EngineSnapshot[]) => readonly StartingContext[];

/**
 * Takes a run over whose driver is gone. When that fails, nothing half-started stays behind, and it can be tried again. Throws
 * `TaskmusterError`.
 */
export async function recoverRun(spec: RecoverSpec, startContexts: StartContexts): Promise<StartedRun> {
  const undo: Undo = [];
  const unlock = lockRecovery(spec.files.prefix);
  try {
    return await recover(spec, startContexts, undo);
  } catch (error) {
    for (const step of undo.toReversed()) await step();
    const isAway = error instanceof KvsClosedError || error instanceof KvsLostError;
    throw isAway ? wentAway(spec.files.prefix, error) : error;
  } finally {
    unlock();
  }
}

async function recover(spec: RecoverSpec, startContexts: StartContexts, undo: Undo): Promise<StartedRun> {
  const { files, onNotice } = spec;
  // Once more: another recovery may have been quicker, before there was the lock.
  const remains = readRemains(files.prefix);
  const oldDriver = findOldDriver(remains);
  const old = await findOldStore(remains, spec.assumeDead);
  if (old.kind === "answers") {
    undo.push(() => old.store.disconnect());
    spec.checkAddress(old.address);
    if (oldDriver.kind === "elsewhere") {
      const { pid, host } = remains.driver;
      onNotice(`the driver of before was process ${pid} on ${host}: looking whether it is at work, for 6 s`);
      await expectSilence(old.store, remains);
    }
  }
  if (oldDriver.kind === "stopped") {
    onNotice(
      `the driver of before is stopped, not dead (process ${remains.driver.pid}): should it go on, it finds that it was replaced, and ends`,
    );
  }
  const log = openLog(spec.logFile, spec.logLevel, (error) =>
    onNotice(`cannot write the log ${spec.logFile}: ${reasonOf(error)}. The run goes on without it`),
  );
  const ledger = new LedgerFile(files.ledger);
  undo.push(() => void ledger.close());
  // Until there is a file of our own, what counts is that of the driver before.
  let checkOurs = ownFile(files.status);
  let fail: (error: Error) => void = () => undefined;
  const watch = { log, checkOurs: () => checkOurs(), onGivenUp: (error: Error) => fail(error) };
  const held = await holdStore(spec, remains, old, { ledger, undo, watch });
  const { server, store, token, list, taken, shut } = held;
  const { address, runId } = server;
  log.info({ runId, prefix: files.prefix, storeAnswers: taken !== null }, "run taken over");

  const core = coreOf(spec, list);
  const { inherited, statusFile, ended, mayBegin } = await inheritRun(core, {
    remains,
    ledger,
    store,
    token,
    list,
    taken,
    whyGone: old.kind === "gone" ? old.why : null,
    shut,
    leaseMs: spec.leaseMs,
    graceMs: spec.graceMs,
    sync: spec.sync,
    onNotice,
    onFile: () => {
      checkOurs = ownFile(files.status);
    },
    undo,
  });
  onNotice(foundText(ended, taken));

  const contexts = startContexts(taken?.engines ?? []);
  undo.push(async () => {
    for (const context of contexts) context.kill();
    await Promise.all(contexts.map((context) => context.gone));
  });
  writeDbUtilScript(files.dbUtil, dbUtilScript(files.prefix, spec.programs));
  const begun = Date.parse(remains.run.at);
  const parts: RunParts = {
    store,
    token,
    list,
    address,
    runId,
    privateStore: address.private,
    spec,
    core,
    contexts,
    statusFile,
    ledger,
    log,
    startedAt: Number.isNaN(begun) ? Date.now() : begun,
    inherited,
    mayBegin,
  };
  const driver = await assembleRun(parts);
  fail = (error) => driver.fail(error);
  return {
    driver,
    setAside: null,
    finish: async () => {
      await shut?.end();
      await finishRun(parts, driver, async () => {
        await server.dismiss();
        rmSync(files.kvsInfo, { force: true });
      });
    },
  };
}

function wentAway(prefix: string, cause: KvsClosedError | KvsLostError): KvsError {
  const again = `It can be tried again: ${recoverCommand(prefix)}`;
  return new KvsError(`the key-value store went away while the run was taken over. ${again}`, { cause });
}

function foundText(done: number, taken: TakenStore | null): string {
  const rows = `${done} task(s) had ended`;
  if (taken === null) return `${rows}; the rest is run`;
  const { claims, reports, engines } = taken;
  return (
    `${rows}; ${reports.length} result(s) were waiting; ${engines.length} engine(s) of before on ` +
    `${engines.length === 0 ? hostname() : "their hosts"} are at work on ${claims.length} task(s) and go on`
  );
}
