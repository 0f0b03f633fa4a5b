import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { type KvsStore, KvsLostError, TaskmusterError } from "@taskmuster/kvs";
import {
  type ContextId,
  type ContextInfo,
  type EnrolRequest,
  type RunInfo,
  decodeRunInfo,
  encodeContextInfo,
  encodeRequest,
  protocolVersion,
  runId,
} from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { type RunAddress, readAddressFile } from "@taskmuster/kvs/server";
import { openLog } from "@taskmuster/driver";
import { parseContextLine } from "./command-line.js";
import { type ContextSettings, contextSettingsOf } from "./contexts/context-settings.js";
import { OwnContext, checkReachable } from "./contexts/own-context.js";
import { nameContext, planContext } from "./contexts/plan-context.js";
import { withDefaults } from "./contexts/with-defaults.js";
import { runMeant } from "./dbutil/connect-run.js";
import { type FoundRun, howItEnded } from "./dbutil/find-run.js";
import { environmentForTasks } from "./own-environment.js";
import { UsageError } from "./usage-error.js";
import { plural } from "./wording.js";

/**
 * Adds a context to a run: starts its engines, watches them, hands nodes back, and returns when all are gone. A run that has
 * ended meanwhile (a job may wait in a queue for days) is no failure. Answers the exit status. Throws `TaskmusterError`.
 */
export async function runContext(args: readonly string[]): Promise<number> {
  const line = parseContextLine(args);
  if (line.kind === "print") {
    process.stdout.write(line.text);
    return 0;
  }
  const { run: named } = line.options;
  const settings = contextSettingsOf(line.options, process.env, hostname(), "runs");
  const run = await whereToJoin(typeof named === "string" ? named : undefined);
  if (run === null) return 0;
  const address = readAddressFile(run.addressFile);
  const store = await connect(address);
  try {
    const nonce = randomBytes(8).toString("hex");
    // The name first: with it comes what the run was told, from which follows what fits where.
    const { label, exactLabel, kind } = nameContext(settings, process.env, hostname());
    const limit = settings.taskLimit;
    const answer = await store.enrol({
      label,
      exactLabel,
      nonce,
      limit,
      info: infoOf({ kind, limit, ended: "" }),
    });
    if (answer.kind === "noRun") return await sayOver(run.prefix);
    if (answer.kind === "taken") {
      throw new TaskmusterError(
        "E_USAGE",
        `-l ${label}: this run has, or had, a context of that name already; choose another`,
      );
    }
    const request = { label, exactLabel, nonce, limit };
    try {
      const info = decodeRunInfo(answer.runInfo);
      const context = startContext(settings, info, answer.context, address);
      const { prefix } = run;
      return await attend(context, {
        store,
        address,
        request,
        id: answer.context,
        prefix,
        leaseMs: info.leaseMs,
      });
    } catch (error) {
      const ended = error instanceof Error ? error.message : String(error);
      await within(lastNewsMs, store.enrol({ ...request, info: infoOf({ kind, limit, ended }) }));
      throw error;
    }
  } catch (error) {
    // It ended while we joined.
    if (error instanceof KvsLostError) return await sayOver(run.prefix);
    throw error;
  } finally {
    await store.disconnect();
  }
}

/** Throws `TaskmusterError` when the context cannot work here. */
function startContext(
  settings: ContextSettings,
  info: RunInfo,
  id: ContextId,
  address: RunAddress,
): OwnContext {
  const onNotice = (message: string): boolean => process.stderr.write(`${id}: ${message}\n`);
  const defaults = withDefaults(settings, info.defaults);
  const plan = planContext(settings, defaults, process.env, hostname());
  for (const notice of plan.notices) onNotice(notice);
  checkReachable(plan, address);
  if (!isDirectory(info.cwd)) {
    throw new TaskmusterError(
      "E_LAUNCH",
      `the directory in which the run's tasks run is not there on ${hostname()}: ${info.cwd}; is it on a shared file system?`,
    );
  }
  return new OwnContext({
    plan,
    retire: settings.retire,
    defaults,
    taskLimit: settings.taskLimit,
    leaseMs: info.leaseMs,
    cwd: info.cwd,
    env: environmentForTasks(),
    onNotice,
  });
}

interface Attendance {
  readonly store: KvsStore;
  readonly address: RunAddress;
  readonly request: Omit<EnrolRequest, "info">;
  readonly id: ContextId;
  readonly prefix: string;
  readonly leaseMs: number;
}

/** Lets a context's engines begin and watches over them until all are gone. */
async function attend(context: OwnContext, run: Attendance): Promise<number> {
  const log = openLog(`${run.prefix}_${run.id}.context.log`, "info");
  const nodes = context.info.nodes.length;
  log.info({ ...context.info }, "context started");
  const tell = (what: string, telling: Promise<unknown>): void => {
    // The run may be over, or its store away for a while: engines see to themselves.
    telling.catch((error: unknown) => log.warn({ err: error }, what));
  };
  const sendNews = (): Promise<unknown> =>
    run.store.enrol({ ...run.request, info: encodeContextInfo(context.info) });
  context.onEngineGone((engine, gone) => {
    log.info({ engine, ...gone }, "engine gone");
    if (gone.ok || !gone.proven) return;
    const why = gone.message;
    tell(
      "the driver was not told of an engine's death",
      run.store.ask(encodeRequest({ kind: "dead", version: protocolVersion, engine, why })),
    );
  });
  context.onNews(() => tell("the store was not told news of this context", sendNews()));
  stopOnSignals(context, (signal) => log.warn({ signal }, "stopping"));
  await sendNews();
  context.begin({ runId: run.address.runId, address: run.address, context: run.id, leaseMs: run.leaseMs });
  process.stdout.write(`context ${run.id}: ${plural(nodes, "node")}, ${plural(context.slots, "slot")}\n`);
  const end = await context.gone;
  log.info({ ...end }, "context ended");
  await within(lastNewsMs, sendNews());
  if (end.ok) process.stdout.write(`context ${run.id}: all its engines have left\n`);
  else process.stderr.write(`context ${run.id}: ${end.message}\n`);
  return end.ok ? 0 : 1;
}

/** A batch system's warning signals too: what runs is handed back while there is time. */
function stopOnSignals(context: OwnContext, onStop: (signal: string) => void): void {
  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const) {
    process.on(signal, () => {
      onStop(signal);
      if (stopping && signal === "SIGINT") context.kill();
      else context.terminate();
      stopping = true;
    });
  }
}

/** Null: the run has ended, which was said. */
async function whereToJoin(named: string | undefined): Promise<FoundRun | null> {
  try {
    return await runMeant(named, process.env);
  } catch (error) {
    const meant = named ?? process.env["TASKMUSTER_RUN"];
    if (!(error instanceof UsageError) || meant === undefined || (await howItEnded(meant)) === null)
      throw error;
    await sayOver(meant);
    return null;
  }
}

async function sayOver(prefix: string): Promise<number> {
  const end = await howItEnded(prefix);
  process.stdout.write(`Run done, context not registering.${end === null ? "" : ` (${prefix}: ${end})`}\n`);
  return 0;
}

function infoOf(known: Pick<ContextInfo, "kind" | "limit" | "ended">): Buffer {
  const [host, pid, startedAt] = [hostname(), process.pid, Date.now()];
  return encodeContextInfo({ version: protocolVersion, host, pid, startedAt, nodes: [], ...known });
}

/** Waits for what is nice to have said. Does not throw. */
async function within(ms: number, telling: Promise<unknown>): Promise<void> {
  await Promise.race([telling.catch(() => undefined), delay(ms)]);
}

function connect(address: RunAddress): Promise<KvsStore> {
  return connectRedisStore({ address, runId: runId(address.runId), role: "monitor", waitMs: connectMs });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

const connectMs = 30_000;
const lastNewsMs = 2_000;
