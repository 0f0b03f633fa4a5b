import { runId } from "@taskmuster/kvs/protocol";
import { ledgerVersion } from "../../../packages/driver/src/core/ledger-entry.js";
import { LedgerFile } from "../../../packages/driver/src/ledger-file.js";
import { epochEntry } from "../../../packages/driver/src/recovery/epoch-entry.js";
import { ResumeFiles } from "../../../packages/driver/src/resume.js";
import { StatusFile } from "../../../packages/driver/src/status-file.js";
import { LastingStore } from "../../../packages/driver/src/store/lasting-store.js";
import { ownFile } from "../../../packages/driver/src/store/own-file.js";
import type { Begun, DriverDesk } from "./driver-desk.js";

/** What start-run.ts does. */
export async function beginRun(desk: DriverDesk): Promise<Begun> {
  const { files, spec, world, info, leaseMs, address } = desk;
  const { plan, resume, prefix } = spec;
  const statusFile = await StatusFile.create(files.status, { sync: true });
  const ledger = new LedgerFile(files.ledger);
  const run = runId(`simulated${spec.number}`);
  world.homes.set(run, prefix);
  const contexts = desk.startContexts();
  const { first, token } = await desk.openFirst(run);
  const store = new LastingStore(first, token, {
    info,
    connect: (signal) => desk.connect(run, signal),
    checkOurs: ownFile(files.status),
    leaseMs,
  });
  world.bug.lasting?.(store);
  const at = new Date().toISOString();
  ledger.begin(
    {
      kind: "run",
      version: ledgerVersion,
      runId: run,
      at,
      host: "login",
      pid: process.pid,
      cwd: process.cwd(),
      taskFile: "list",
      resumedFrom: resume,
      setAside: null,
      ids: plan.lines,
      args: [],
      list: { kind: "file", path: "list", bytes: 0, sha256: "" },
      options: {
        failFast: false,
        retryFailed: false,
        forceResume: false,
        maxLosses: plan.maxLosses,
        ...plan.policy,
        leaseMs: plan.leaseMs,
        graceMs: plan.graceMs,
        cpusPerTask: 1,
        sync: true,
        serves: plan.serves,
      },
    },
    epochEntry(at, token, address),
  );
  const found = resume.length > 0 ? await ResumeFiles.open(resume) : null;
  const witness = world.truth.newDriver([]);
  const core = desk.newCore();
  return {
    run,
    store,
    token,
    core,
    statusFile,
    ledger,
    contexts,
    resume: found,
    inherited: null,
    mayBegin: null,
    shut: null,
    witness,
  };
}
