import { hostname } from "node:os";
import type { Logger } from "pino";
import type { DriverCore } from "../core/driver-core.js";
import type { LedgerEntry } from "../ledger-file.js";
import type { StoreListener } from "./driver-store.js";

/** What a driver does when its store forgets, or is away: told in a line each, and nothing that runs is disturbed. */
export function storeListener(run: {
  readonly core: DriverCore;
  readonly log: Logger;
  readonly leaseMs: number;
  /** Of a server that we start again ourselves people hear from whoever does that. */
  readonly isPrivate: boolean;
  readonly onNotice: (message: string) => void;
  readonly note: (entry: LedgerEntry) => void;
  readonly look: () => void;
  /** There may be something to publish. */
  readonly onNews: () => void;
}): StoreListener {
  const { core, log, onNotice, note } = run;
  let forgetting = false;
  return {
    onForgotten(why) {
      log.warn({ why }, "the store has forgotten the run");
      if (!run.isPrivate && !forgetting)
        onNotice("the key-value store has forgotten this run: it is opened there again; what runs goes on");
      forgetting = true;
      core.onForgotten();
    },
    onReopened(token) {
      log.info({ token }, "the run was opened again");
      note({ kind: "epoch", at: new Date().toISOString(), token });
    },
    onAnnounced(engine, claims) {
      log.info({ engine, claims: claims.length }, "engine came back");
      core.onAnnounced(claims);
    },
    onSettled() {
      forgetting = false;
      const givenUp = core.onSettled();
      log.info({ givenUp: givenUp.length }, "everybody is back, or lost");
      if (givenUp.length > 0) {
        const why = "the store forgot who had them, and nobody came back with them";
        const at = new Date().toISOString();
        note({ kind: "stoppedTasks", at, host: hostname(), lost: true, why, tasks: givenUp });
      }
      run.onNews();
    },
    onLookDue: run.look,
    onSilent() {
      log.warn("the store does not answer");
      const seconds = Math.round(run.leaseMs / 1000);
      onNotice(
        `the key-value store does not answer; what runs goes on, for up to ${seconds} s, and what has ended is told when it is back`,
      );
    },
    onAnswer(silentMs) {
      log.info({ silentMs: Math.round(silentMs) }, "the store answers again");
      onNotice(`the key-value store answers again, after ${Math.round(silentMs / 1000)} s`);
    },
    tasksReportedBy: (engine) => core.tasksReportedBy(engine),
  };
}
