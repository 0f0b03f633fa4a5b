import { setTimeout as delay } from "node:timers/promises";
import { openLog } from "@taskmuster/driver";
import {
  type ContextId,
  type EngineId,
  type EnrolRequest,
  encodeContextInfo,
  encodeRequest,
  protocolVersion,
} from "@taskmuster/kvs/protocol";
import type { RunAddress } from "@taskmuster/kvs/server";
import { plural } from "../wording.js";
import type { ContextLink } from "./context-link.js";
import type { OwnContext } from "./own-context.js";

interface Attendance {
  readonly link: ContextLink;
  readonly address: RunAddress;
  readonly request: Omit<EnrolRequest, "info">;
  readonly id: ContextId;
  readonly prefix: string;
  readonly leaseMs: number;
  readonly graceMs: number;
  /** The run has ended: engines that are still there hang. */
  readonly isOver: () => boolean;
}

/** Lets a context's engines begin and watches over them until all are gone. */
export async function attend(
  context: OwnContext,
  run: Attendance,
): Promise<{ readonly ok: boolean; readonly message: string }> {
  const logFile = `${run.prefix}_${run.id}.context.log`;
  const log = openLog(logFile, "info", (error) => {
    process.stderr.write(`goes on without its log ${logFile}: ${String(error)}\n`);
  });
  const nodes = context.info.nodes.length;
  log.info({ ...context.info }, "context started");
  const tell = (what: string, telling: Promise<unknown>): void => {
    // The run may be over, or its store away for a while: engines see to themselves.
    telling.catch((error: unknown) => log.warn({ err: error }, what));
  };
  const request = (): EnrolRequest => ({ ...run.request, info: encodeContextInfo(context.info) });
  const sendNews = (): Promise<unknown> => run.link.enrol(request());
  const gone: { readonly engine: EngineId; readonly why: string }[] = [];
  const tellDead = ({ engine, why }: { readonly engine: EngineId; readonly why: string }): void =>
    tell(
      "the driver was not told of an engine's death",
      run.link.ask(encodeRequest({ kind: "dead", version: protocolVersion, engine, why })),
    );
  context.onEngineGone((engine, end) => {
    log.info({ engine, ...end }, "engine gone");
    if (!end.proven) return;
    const dead = { engine, why: end.message === "" ? "its process ended" : end.message };
    gone.push(dead);
    // One that ended well has said so itself.
    if (!end.ok) tellDead(dead);
  });
  run.link.keep({
    // Under the name that it has. How much of its limit is left the driver finds out, and grants.
    request: () => ({ ...request(), label: run.id, limit: run.request.limit === null ? null : 0 }),
    onBack: () => {
      log.info("enrolled with a store that had forgotten");
      // Whom the driver may still be waiting for.
      for (const dead of gone) tellDead(dead);
    },
    onError: (error) => log.error({ err: error }, "cannot come back to the store"),
  });
  const news = (): void => tell("the store was not told news of this context", sendNews());
  context.onNews(news);
  news();
  stopOnSignals(context, run.graceMs + hurryMs, (signal) => log.warn({ signal }, "stopping"));
  context.begin({ runId: run.address.runId, address: run.address, context: run.id, leaseMs: run.leaseMs });
  process.stdout.write(`context ${run.id}: ${plural(nodes, "node")}, ${plural(context.slots, "slot")}\n`);
  const watch = watchForEnd(run.isOver, run.graceMs + hurryMs, () => {
    log.warn("the run is over, and engines that did not go are killed");
    context.kill();
  });
  const end = await context.gone;
  watch();
  log.info({ ...end }, "context ended");
  await within(lastNewsMs, sendNews());
  return end;
}

/** Waits for what is nice to have said. Does not throw. */
export async function within(ms: number, telling: Promise<unknown>): Promise<void> {
  await Promise.race([telling.catch(() => undefined), delay(ms, undefined, { ref: false })]);
}

/**
 * A batch system's warning signals too: what runs is handed back while there is time. Engines that do not go are killed, after so long or
 * at a second Ctrl-C.
 */
function stopOnSignals(context: OwnContext, patienceMs: number, onStop: (signal: string) => void): void {
  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const) {
    process.on(signal, () => {
      if (signal === "SIGHUP" && process.env["TASKMUSTER_SIGHUP"] === "ignored") return;
      onStop(signal);
      if (stopping && signal === "SIGINT") context.kill();
      if (stopping) return;
      stopping = true;
      context.terminate();
      setTimeout(() => context.kill(), patienceMs).unref();
    });
  }
}

/** Calls back when the run has been over for so long; answers what ends the watch. */
function watchForEnd(isOver: () => boolean, patienceMs: number, onLate: () => void): () => void {
  let overSince: number | null = null;
  const timer = setInterval(() => {
    if (!isOver()) overSince = null;
    else overSince ??= performance.now();
    if (overSince === null || performance.now() - overSince < patienceMs) return;
    clearInterval(timer);
    onLate();
  }, lookMs);
  return () => clearInterval(timer);
}

const lookMs = 2_000;
const hurryMs = 10_000;
const lastNewsMs = 2_000;
