import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { duration } from "./duration.js";
import { atWork, hostProcesses, notOf } from "./host-processes.js";
import { bootId } from "./process-stamp.js";
import { type Remains, marksOf } from "./remains.js";

/** Until when tasks of a run whose store is gone may still run somewhere. */
export type Silence =
  /** It is proven that nothing runs. */
  | { readonly kind: "proven"; readonly why: string }
  /** For a lease. `processes`: on this host, the only one; when they are gone there is nothing to wait for. */
  | { readonly kind: "unknown"; readonly why: string; readonly processes: readonly number[] | null };

/** What can be told from the ledger and from this host. */
function findSilence({ section, files, run }: Remains): Silence {
  const here = hostname();
  const lostBefore = section.losses.some(({ kind }) => kind === "store");
  if (section.storeEnded && !lostBefore) {
    return { kind: "proven", why: "its store was ended when no engine held a lease any more" };
  }
  const elsewhere = section.drivers.find(({ host, hostOnly }) => host !== here || !hostOnly);
  if (elsewhere !== undefined) {
    return { kind: "unknown", why: "engines on other hosts may have been at work", processes: null };
  }
  const boot = bootId();
  const last = section.drivers.at(-1)?.process ?? null;
  if (last !== null && boot !== "" && last.boot !== boot) {
    return { kind: "proven", why: "all its engines were on this host, which was started anew since" };
  }
  const processes = hostProcesses();
  if (processes === null) {
    return { kind: "unknown", why: "this system does not tell what runs", processes: null };
  }
  // What this driver has started itself is not of before.
  const left = atWork(notOf(process.pid, processes), marksOf(files, run)).map(({ pid }) => pid);
  if (left.length === 0) {
    return { kind: "proven", why: "all its engines were on this host, and no process of it lives" };
  }
  return {
    kind: "unknown",
    why: "processes of it, or that may be of it, live on this host",
    processes: left,
  };
}

/** Resolves when nothing of before can run any more. Does not reject. */
export async function waitForSilence(
  remains: Remains,
  leaseMs: number,
  onNotice: (message: string) => void,
): Promise<void> {
  const silence = await findSilenceSoon(remains);
  if (silence.kind === "proven") return;
  const named = silence.processes === null ? "" : ` (${silence.processes.slice(0, 5).join(", ")})`;
  onNotice(
    `${silence.why}${named}: their tasks may run on until the lease has run out. Nothing is run for ${duration(leaseMs)}` +
      `${silence.processes === null ? "" : ", or until they are gone"}.`,
  );
  const begun = performance.now();
  while (performance.now() - begun < leaseMs) {
    const left = leaseMs - (performance.now() - begun);
    await delay(silence.processes === null ? left : Math.min(lookMs, left), undefined, { ref: false });
    if (silence.processes !== null && findSilence(remains).kind === "proven") break;
  }
  onNotice("going on: nothing of before can run any more");
}

/** Who is about to die anyway is not worth a word. */
async function findSilenceSoon(remains: Remains): Promise<Silence> {
  const begun = performance.now();
  for (;;) {
    const silence = findSilence(remains);
    const mayChange = silence.kind === "unknown" && silence.processes !== null;
    if (!mayChange || performance.now() - begun > soonMs) return silence;
    await delay(lookMs, undefined, { ref: false });
  }
}

const lookMs = 250;
const soonMs = 2_000;
