import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { findOldDriver } from "./old-driver.js";
import { isUnfinished, readRemains } from "./remains.js";

/** What a user should know of the last run of this list: that its driver died, and how to go on. Null: nothing. Does not throw. */
export function earlierRun(taskFile: string | null, cwd: string): string | null {
  if (taskFile === null || taskFile === "-") return null;
  try {
    const script = realpathSync(`${resolve(cwd, taskFile)}_dbUtil.sh`);
    const prefix = script.replace(/_dbUtil\.sh$/, "");
    if (!isUnfinished(prefix)) return null;
    const gone = findOldDriver(readRemains(prefix)).kind === "gone";
    return `an earlier run of this list did not end${gone ? ", and its driver is dead" : ""}. To go on with that one: ${recoverCommand(prefix)}`;
  } catch {
    return null;
  }
}

/** The command that goes on with a run whose driver has died on this host; null: it lives, has ended, or nobody knows. Does not throw. */
export function afterDeath(prefix: string): string | null {
  try {
    return isUnfinished(prefix) && findOldDriver(readRemains(prefix)).kind === "gone"
      ? recoverCommand(prefix)
      : null;
  } catch {
    return null;
  }
}

/** For people to type. */
export function recoverCommand(prefix: string): string {
  return `driver --recover ${/^[\w./+:@%-]+$/.test(prefix) ? prefix : `'${prefix.replaceAll("'", String.raw`'\''`)}'`}`;
}
