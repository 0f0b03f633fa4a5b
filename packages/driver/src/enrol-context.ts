import { randomBytes } from "node:crypto";
import type { KvsAddress } from "@taskmuster/kvs";
import { KvsLostError, TaskmusterError } from "@taskmuster/kvs";
import { type RunId, encodeContextInfo } from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import type { RunContext, StartingContext } from "./run-context.js";
import type { DriverStore } from "./store/driver-store.js";

/** Announces a context of our own in the store, lets its engines begin, and keeps what the store says of it up to date. */
export async function enrolContext(
  context: StartingContext,
  run: {
    readonly store: DriverStore;
    readonly runId: RunId;
    readonly address: KvsAddress;
    readonly leaseMs: number;
    readonly log: Logger;
  },
): Promise<RunContext> {
  const { label, exactLabel, taskLimit: limit } = context;
  const nonce = randomBytes(8).toString("hex");
  const enrol = () =>
    run.store.enrol({ label, exactLabel, nonce, limit, info: encodeContextInfo(context.info) });
  const answer = await enrol();
  if (answer.kind === "noRun")
    throw new KvsLostError("the store lost the run while it was being opened", "gone");
  if (answer.kind === "taken") throw new TaskmusterError("E_BUG", `the label ${label} is taken in a new run`);
  context.onNews(() => {
    enrol().catch((error: unknown) =>
      run.log.warn({ err: error }, "the store was not told news of a context"),
    );
  });
  context.begin({ runId: run.runId, address: run.address, context: answer.context, leaseMs: run.leaseMs });
  return {
    id: answer.context,
    startMs: context.startMs,
    gone: context.gone,
    get engines() {
      return context.engines;
    },
    onEngineGone: (listener) => context.onEngineGone(listener),
    drop: (engine, why) => context.drop(engine, why),
    terminate: () => context.terminate(),
    kill: () => context.kill(),
  };
}
