import { existsSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { readAddressFile } from "@taskmuster/kvs/server";
import { type FoundRun, findPrefix, findRun } from "./find-run.js";
import { LookStore, type RunLookStore } from "./look-store.js";

/** The run that is meant: what was named, else what `dbUtil.sh` names, else the newest in this directory. */
export function runMeant(named: string | undefined, env: NodeJS.ProcessEnv): Promise<FoundRun> {
  const byScript = env["TASKMUSTER_RUN"];
  if (named !== undefined) return findRun(named);
  return byScript === undefined || byScript === "" ? findRun(".") : findPrefix(byScript);
}

/** Calls `use` with the run's store, and closes it. */
export async function withRun<Result>(
  run: FoundRun,
  use: (store: RunLookStore) => Promise<Result>,
): Promise<Result> {
  const address = readAddressFile(run.addressFile);
  const connect = () => connectRedisStore({ address, runId: runId(address.runId), role: "monitor" });
  const store = new LookStore(await connect(), connect, () => !existsSync(run.addressFile));
  try {
    return await use(store);
  } finally {
    await store.disconnect();
  }
}

/** The same for who changes something: `isOver` tells that the run has ended, and its store with it. */
export function steer<Result>(
  run: FoundRun,
  use: (store: RunLookStore, isOver: () => boolean) => Promise<Result>,
): Promise<Result> {
  return withRun(run, (store) => use(store, () => !existsSync(run.addressFile)));
}

/** Who asks, for the driver's log. */
export function askedBy(): string {
  let user = "somebody";
  try {
    user = userInfo().username;
  } catch {
    // No entry for our user id, as in many containers.
  }
  return `${user}@${hostname()}`;
}
