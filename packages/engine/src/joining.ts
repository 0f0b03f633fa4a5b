import { setTimeout as delay } from "node:timers/promises";
import type { JoinAnswer } from "@taskmuster/kvs";
import { TaskmusterError } from "@taskmuster/kvs";
import {
  type EngineId,
  type RunInfo,
  contextId,
  decodeRunInfo,
  encodeEngineInfo,
  protocolVersion,
} from "@taskmuster/kvs/protocol";
import { allocationEndsAt } from "./core/allocation-end.js";
import type { SlotShares } from "./core/slot-shares.js";
import type { EngineConfig } from "./engine-config.js";
import type { Launcher, LauncherEvents } from "./launcher/launcher.js";
import { divideNode } from "./node-resources.js";
import type { StoreLink } from "./store-link.js";
import { enterDirectory, isCurrentDirectory } from "./working-directory.js";

export interface JoiningWorld {
  /** For tasks that run in what is our directory when it is called. */
  readonly launcher: (events: LauncherEvents) => Promise<Launcher>;
}

export interface Joined {
  readonly rank: number;
  readonly needs: Extract<JoinAnswer, { kind: "joined" }>["needs"];
  readonly run: RunInfo;
  /** What it said of itself. */
  readonly info: Uint8Array;
  /** Started, in the run's directory. */
  readonly launcher: Launcher;
  readonly shares: SlotShares;
  /** ms since 1970; null: nobody knows, or never. */
  readonly endsAt: number | null;
}

/** A store that is there but does not answer keeps nobody for ever. */
const [joinMs, leaveMs] = [60_000, 5_000];

/**
 * Becomes a member of the run and gets ready to run tasks. Throws `TaskmusterError`; an engine that has joined and cannot run tasks
 * leaves first.
 */
export async function joinRun(
  id: EngineId,
  host: string,
  config: EngineConfig,
  link: StoreLink,
  world: JoiningWorld,
  events: LauncherEvents,
): Promise<Joined> {
  const shares = divideNode(config);
  const endsAt = config.allocation ? allocationEndsAt(process.env["SLURM_JOB_END_TIME"], Date.now()) : null;
  const info = encodeEngineInfo({
    version: protocolVersion,
    host,
    pid: process.pid,
    slots: shares.slots,
    cores: config.cores,
    endsAt,
  });
  // Both take a while, and most engines are started where tasks run.
  const [joining, starting] = await Promise.allSettled([
    within(joinMs, link.join({ engine: id, context: contextId(config.context), info })),
    startLauncher(world, events),
  ]);
  let launcher = starting.status === "fulfilled" ? starting.value : null;
  try {
    if (joining.status === "rejected") throw joining.reason;
    const joined = joining.value;
    if (joined.kind === "noRun")
      throw new TaskmusterError("E_KVS_LOST", "the run has ended; nothing to join");
    let run: RunInfo;
    try {
      run = decodeRunInfo(joined.runInfo);
      const elsewhere = !isCurrentDirectory(run.cwd);
      if (elsewhere) enterDirectory(run.cwd, host);
      else if (starting.status === "rejected") throw starting.reason;
      if (elsewhere || launcher === null) {
        await launcher?.close();
        launcher = await startLauncher(world, events);
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      await within(leaveMs, link.current.leave(id, why)).catch(() => undefined);
      throw error;
    }
    return { rank: joined.rank, needs: joined.needs, run, info, launcher, shares, endsAt };
  } catch (error) {
    await launcher?.close();
    throw error;
  }
}

async function startLauncher(world: JoiningWorld, events: LauncherEvents): Promise<Launcher> {
  const launcher = await world.launcher(events);
  await launcher.start();
  return launcher;
}

async function within<Answer>(ms: number, request: Promise<Answer>): Promise<Answer> {
  const answered = new AbortController();
  const patience = delay(ms, undefined, { signal: answered.signal }).then(() => {
    throw new TaskmusterError("E_KVS", `the key-value store has not answered for ${ms / 1000} s`);
  });
  try {
    return await Promise.race([request, patience]);
  } finally {
    patience.catch(() => undefined);
    answered.abort();
  }
}
