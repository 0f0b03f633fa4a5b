import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { KvsLostError, TaskmusterError } from "@taskmuster/kvs";
import {
  type ContextId,
  type ContextInfo,
  type RunInfo,
  decodeRunInfo,
  encodeContextInfo,
  protocolVersion,
  runId,
} from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { type RunAddress, readAddressFile } from "@taskmuster/kvs/server";
import { parseContextLine } from "./command-line.js";
import { type ContextSettings, contextSettingsOf } from "./contexts/context-settings.js";
import { attend, within } from "./contexts/attend.js";
import { type ConnectContext, ContextLink } from "./contexts/context-link.js";
import { OwnContext, checkReachable } from "./contexts/own-context.js";
import { nameContext, planContext } from "./contexts/plan-context.js";
import { withDefaults } from "./contexts/with-defaults.js";
import { runMeant } from "./dbutil/connect-run.js";
import { type FoundRun, howItEnded } from "./dbutil/find-run.js";
import { environmentForTasks } from "./own-environment.js";
import { UsageError } from "./usage-error.js";

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
  // Whatever fails once the run is over fails because of that, and that is no failure.
  const isOver = (): boolean => !existsSync(run.addressFile);
  let link: ContextLink | null = null;
  try {
    link = await ContextLink.start(connectTo(address));
    const nonce = randomBytes(8).toString("hex");
    // The name first: with it comes what the run was told, from which follows what fits where.
    const { label, exactLabel, kind } = nameContext(settings, process.env, hostname());
    const limit = settings.taskLimit;
    const info = infoOf({ kind, limit, ended: "" });
    const answer = await answered(link.enrol({ label, exactLabel, nonce, limit, info }));
    if (answer.kind === "noRun") return await sayOver(run.prefix);
    if (answer.kind === "taken") {
      throw new TaskmusterError(
        "E_USAGE",
        `-l ${label}: this run has, or had, a context of that name already; choose another`,
      );
    }
    const request = { label, exactLabel, nonce, limit };
    try {
      const told = decodeRunInfo(answer.runInfo);
      const context = startContext(settings, told, answer.context, address);
      const { leaseMs, graceMs } = told;
      const { prefix } = run;
      const around = { link, address, request, id: answer.context, prefix, leaseMs, graceMs, isOver };
      const end = await attend(context, around);
      if (!end.ok && !isOver()) process.stderr.write(`context ${answer.context}: ${end.message}\n`);
      if (!end.ok) return isOver() ? await sayOver(prefix) : 1;
      process.stdout.write(`context ${answer.context}: all its engines have left\n`);
      return 0;
    } catch (error) {
      const ended = error instanceof Error ? error.message : String(error);
      await within(lastNewsMs, link.enrol({ ...request, info: infoOf({ kind, limit, ended }) }));
      throw error;
    }
  } catch (error) {
    // It ended while we joined.
    if (error instanceof KvsLostError || (isOver() && isAboutTheStore(error)))
      return await sayOver(run.prefix);
    throw error;
  } finally {
    await link?.disconnect();
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

/** A private server that has just gone answers nothing: then it must not be waited for as long as it takes. */
async function answered<Value>(request: Promise<Value>): Promise<Value> {
  const silence = delay(connectMs, null, { ref: false });
  const answer = await Promise.race([request.then((value) => ({ value })), silence]);
  if (answer !== null) return answer.value;
  request.catch(() => undefined);
  throw new TaskmusterError("E_KVS", `the run's key-value store has not answered for ${connectMs / 1000} s`);
}

function isAboutTheStore(error: unknown): boolean {
  return error instanceof TaskmusterError && error.code.startsWith("E_KVS");
}

function connectTo(address: RunAddress): ConnectContext {
  return (onLost, wait) =>
    connectRedisStore({
      address,
      runId: runId(address.runId),
      role: "context",
      ...(wait === "first" ? { waitMs: connectMs } : { waitMs: Infinity, signal: wait.signal }),
      onEvent: ({ kind }) => (kind === "lost" ? onLost() : undefined),
    });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

const connectMs = 30_000;
const lastNewsMs = 2_000;
