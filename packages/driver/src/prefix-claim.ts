import { existsSync, renameSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { TaskmusterError } from "@taskmuster/kvs";
import { type Snapshot, runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { readAddressFile } from "@taskmuster/kvs/server";
import { prefixOf } from "./audit/ledger-of.js";
import { recoverCommand } from "./recovery/earlier-run.js";
import { distantStore, isUnfinished } from "./recovery/remains.js";
import type { RunFiles } from "./run-files.js";

export interface PrefixClaim {
  /** Where an older status file of this prefix was moved to, for a resume into the same prefix. */
  readonly setAside: string | null;
}

/**
 * Makes sure that no other run has this prefix. A status file that exists is refused, or, when this run resumes from it, set
 * aside under another name: nothing is truncated. Throws `TaskmusterError`.
 */
export async function claimPrefix(files: RunFiles, resumedFrom: readonly string[]): Promise<PrefixClaim> {
  for (const path of resumedFrom) {
    const kvsInfo = resolve(path).replace(/_status\.txt$/, "_kvsinfo.txt");
    if (!kvsInfo.endsWith("_kvsinfo.txt") || kvsInfo === files.kvsInfo || !existsSync(kvsInfo)) continue;
    if (!(await isAlive(kvsInfo))) {
      refuseUnreachable(prefixOf(path));
      continue;
    }
    // What these still run would run twice.
    throw new TaskmusterError(
      "E_PREFIX",
      `the run of ${path} (-r) is still at work, or engines that its driver has left behind are: its key-value store ` +
        `answers. Stop it, or wait until it has ended${orRecover(prefixOf(path))}`,
    );
  }
  if (existsSync(files.kvsInfo)) {
    if (await isAlive(files.kvsInfo)) {
      throw new TaskmusterError(
        "E_PREFIX",
        `another driver, or engines that one has left behind, are at work on ${files.prefix}: its key-value store answers. ` +
          `Wait until that run has ended, or choose another prefix with -p${orRecover(files.prefix)}`,
      );
    }
    refuseUnreachable(files.prefix);
    rmSync(files.kvsInfo, { force: true });
  }
  if (!existsSync(files.status)) return { setAside: null };
  if (!resumedFrom.some((path) => isSameFile(path, files.status))) {
    if (isUnfinished(files.prefix)) {
      throw new TaskmusterError(
        "E_PREFIX",
        `${files.status} is that of a run that did not end. If its driver died, go on with it: ${recoverCommand(files.prefix)}. ` +
          `For another run choose another prefix with -p`,
      );
    }
    throw new TaskmusterError(
      "E_PREFIX",
      `${files.status} exists already, and a status file is never overwritten. ` +
        `Choose another prefix with -p, or go on with that run: -r ${files.status}`,
    );
  }
  const setAside = freeName(files.prefix);
  renameSync(files.status, setAside);
  return { setAside };
}

/** Throws `TaskmusterError` when a run did not end whose store is on another host: whether it is there cannot be told from here. */
function refuseUnreachable(prefix: string | null): void {
  const host = prefix === null ? null : distantStore(prefix);
  if (prefix === null || host === null) return;
  throw new TaskmusterError(
    "E_PREFIX",
    `the run ${prefix} did not end, and its key-value store on ${host} cannot be reached from here: what works for it may go on ` +
      `there. Go on with it on ${host}: ${recoverCommand(prefix)}. If that host is down for good: ${recoverCommand(prefix)} --assume-dead`,
  );
}

/** What else there is to do about a run whose driver may be dead. */
function orRecover(prefix: string | null): string {
  return prefix !== null && isUnfinished(prefix)
    ? `. If its driver died, go on with that run: ${recoverCommand(prefix)}`
    : "";
}

function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

function freeName(prefix: string): string {
  for (let count = 1; ; count++) {
    const name = `${prefix}_status_${count}.txt`;
    if (!existsSync(name)) return name;
  }
}

/**
 * Whether somebody works for the run that an address file names. A private store goes away with its run. A shared one keeps what a
 * killed driver has left: that is removed when neither driver nor engines are heard of for a while.
 */
async function isAlive(kvsInfo: string): Promise<boolean> {
  try {
    const address = readAddressFile(kvsInfo);
    const store = await connectRedisStore({ address, runId: runId(address.runId), role: "monitor" });
    try {
      const before = await store.snapshot();
      if (!before.open || address.private) return before.open;
      await delay(longestSilenceMs);
      if (signsOfLife(before) !== signsOfLife(await store.snapshot())) return true;
      await store.close(await store.open(new Uint8Array(0)));
      return false;
    } finally {
      await store.disconnect();
    }
  } catch {
    // No server, or one that knows nothing of the run: what is left is a file.
    return false;
  }
}

function signsOfLife({ driverBeat, engines }: Snapshot): string {
  return [driverBeat, ...engines.map(({ engine, renewal }) => `${engine}:${renewal}`)].join(" ");
}

/** Longer than the time between two beats of a driver, or two renewals of an engine. */
const longestSilenceMs = 6_000;
