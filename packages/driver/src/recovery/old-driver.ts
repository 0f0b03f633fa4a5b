import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { KvsStore } from "@taskmuster/kvs";
import type { Remains } from "./remains.js";
import { usage } from "./remains.js";
import { stateOfProcess } from "./process-stamp.js";

/** Of a driver that acts for the run no longer, as far as it can be told from here. */
export type OldDriver =
  /** Its process is. */
  | { readonly kind: "gone" }
  /** Its process is there, and does nothing. */
  | { readonly kind: "stopped" }
  /** It is, or was, on another host. */
  | { readonly kind: "elsewhere" };

/** Looks at the process. Throws a usage error when it is at work. */
export function findOldDriver({ driver, files }: Remains): OldDriver {
  if (driver.host !== hostname()) return { kind: "elsewhere" };
  switch (stateOfProcess(driver.pid, driver.process)) {
    case "gone":
      return { kind: "gone" };
    case "stopped":
      return { kind: "stopped" };
    case "unknown":
      return { kind: "elsewhere" };
    case "there":
      throw usage(
        `the driver of ${files.prefix} is at work: process ${driver.pid} on this host. If it hangs, kill it first, without its knowing: kill -9 ${driver.pid}`,
      );
  }
}

/** Watches its beat in the store, where nothing else tells. Throws a usage error when it changes. */
export async function expectSilence(store: KvsStore, { driver, files }: Remains): Promise<void> {
  const before = (await store.snapshot()).driverBeat;
  await delay(longestSilenceMs);
  if ((await store.snapshot()).driverBeat === before) return;
  throw usage(
    `the driver of ${files.prefix} is at work: process ${driver.pid} on ${driver.host}, and its beat is in the key-value store`,
  );
}

/** Longer than the time between two beats of a driver. */
const longestSilenceMs = 6_000;
