import { hostname } from "node:os";
import type { KvsAddress } from "@taskmuster/kvs";
import { type FencingToken, type RunId, needsKey } from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import { Bell } from "./bell.js";
import { DriverCore } from "./core/driver-core.js";
import type { Inheritance } from "./core/inheritance.js";
import { Driver } from "./driver.js";
import { enrolContext } from "./enrol-context.js";
import { Feeder } from "./feeder.js";
import type { LedgerFile } from "./ledger-file.js";
import type { RunContext, StartingContext } from "./run-context.js";
import { closeStore } from "./run-store.js";
import type { ReadyList, RunSpec } from "./start-run.js";
import type { StatusFile } from "./status-file.js";
import type { DriverStore } from "./store/driver-store.js";

/* What a new run and one that is taken over have in common, once there is a store. */

export function coreOf(spec: RunSpec, list: ReadyList): DriverCore {
  return new DriverCore(
    {
      needs: needsKey({ cores: spec.cpusPerTask }),
      failFast: spec.failFast,
      maxLosses: spec.maxLosses,
      policy: spec.policy,
      node: hostname(),
      pid: process.pid,
    },
    list.perEngine,
  );
}

export interface RunParts {
  readonly spec: RunSpec;
  readonly list: ReadyList;
  readonly core: DriverCore;
  readonly store: DriverStore;
  /** Nobody else uses its server. */
  readonly privateStore: boolean;
  readonly token: FencingToken;
  readonly runId: RunId;
  readonly address: KvsAddress;
  readonly contexts: readonly StartingContext[];
  readonly statusFile: StatusFile;
  readonly ledger: LedgerFile;
  readonly log: Logger;
  /** ms since 1970. */
  readonly startedAt: number;
  /** Of a run that was taken over: what is left of the driver before. */
  readonly inherited: Inheritance | null;
  /** Nothing is published before; null: at once. */
  readonly mayBegin: Promise<void> | null;
}

/** Announces the contexts and makes the driver. */
export async function assembleRun(parts: RunParts): Promise<Driver> {
  const { spec, list, core, store, token, runId, address, contexts, log } = parts;
  // What is expected, until the engines have joined and tell themselves.
  core.onMembers({
    engines: 0,
    slots: contexts.reduce((sum, context) => sum + context.slots, 0),
    claimed: 0,
  });
  const enrolled: RunContext[] = [];
  for (const context of contexts) {
    enrolled.push(await enrolContext(context, { store, runId, address, leaseMs: spec.leaseMs, log }));
  }
  const room = new Bell();
  const feeder = new Feeder({
    core,
    source: list.source,
    first: list.first,
    resume: spec.resume,
    inherited: parts.inherited,
    mayBegin: parts.mayBegin,
    room,
    onNotice: spec.onNotice,
  });
  return new Driver({
    store,
    privateStore: parts.privateStore,
    token,
    core,
    feeder,
    room,
    sinks: list.sinks,
    statusFile: parts.statusFile,
    ledger: parts.ledger,
    contexts: enrolled,
    facts: {
      name: list.source.name,
      prefix: spec.files.prefix,
      host: hostname(),
      pid: process.pid,
      startedAt: parts.startedAt,
      total: list.total,
      serves: spec.serves,
    },
    log,
    leaseMs: spec.leaseMs,
    graceMs: spec.graceMs,
    drainsFailing: spec.drainsFailing,
    onNotice: spec.onNotice,
    onError: spec.onError,
  });
}

/**
 * Releases what a run that has ended had. `dismiss`: ends a private store and what belongs to it. Of a run that another driver has taken
 * over nothing is touched.
 */
export async function finishRun(
  parts: Pick<RunParts, "spec" | "list" | "store" | "token" | "log">,
  driver: Driver,
  dismiss: () => Promise<void>,
): Promise<void> {
  const { spec, list, store, token, log } = parts;
  await list.source.close();
  if (driver.wasFenced) await store.disconnect();
  else {
    await list.end(driver.view);
    await closeStore(store, token, log);
    await dismiss();
  }
  await spec.resume?.files.close();
  log.info("run ended");
}
