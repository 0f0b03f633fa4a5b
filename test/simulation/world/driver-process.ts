import { KvsLostError, type KvsStore } from "@taskmuster/kvs";
import {
  type FencingToken,
  type RunId,
  encodeRunInfo,
  needsKey,
  protocolVersion,
  runId,
} from "@taskmuster/kvs/protocol";
import { Bell } from "../../../packages/driver/src/bell.js";
import { DriverCore } from "../../../packages/driver/src/core/driver-core.js";
import { type StatusRow, statusRows } from "../../../packages/driver/src/core/status-line/index.js";
import { Driver } from "../../../packages/driver/src/driver.js";
import { enrolContext } from "../../../packages/driver/src/enrol-context.js";
import { Feeder } from "../../../packages/driver/src/feeder.js";
import { LedgerFile } from "../../../packages/driver/src/ledger-file.js";
import { ResumeFiles } from "../../../packages/driver/src/resume.js";
import type { RunContext } from "../../../packages/driver/src/run-context.js";
import { type RunFiles, runFiles } from "../../../packages/driver/src/run-files.js";
import { LastingStore } from "../../../packages/driver/src/store/lasting-store.js";
import { ownFile } from "../../../packages/driver/src/store/own-file.js";
import { StatusFile } from "../../../packages/driver/src/status-file.js";
import { silentLog } from "../../../packages/driver/test/silent-log.js";
import { linesOf } from "../../scenarios/list.js";
import { diskRoot } from "../node/disk.js";
import { SimProcess } from "../time/process.js";
import { StoreClient } from "../wire/store-client.js";
import type { Plan } from "../plan.js";
import { type ContextPlan, SimContext } from "./sim-context.js";
import { type World, newHost } from "./world.js";

export interface DriverSpec {
  readonly plan: Plan;
  readonly contexts: readonly ContextPlan[];
  /** Counts the drivers. */
  readonly number: number;
  /** Status files of earlier ones (`-r`). */
  readonly resume: readonly string[];
}

const log = silentLog;

/** The program `driver`: what start-run.ts puts together, on simulated parts. */
export class DriverProcess {
  readonly process: SimProcess;
  readonly run: RunId;
  readonly status: string;
  /** How the run ended; null: it has not, or was killed. */
  reason: string | null = null;
  #client: StoreClient | null = null;
  readonly #world: World;
  readonly #spec: DriverSpec;

  constructor(world: World, spec: DriverSpec) {
    this.#world = world;
    this.#spec = spec;
    this.run = runId(`simulated${spec.number}`);
    this.status = filesOf(this.run).status;
    this.process = new SimProcess(world.clockwork, world.login, `driver${spec.number}`);
    world.clockwork.after(1, this.process, () => {
      world.say(
        this.process.name,
        () => `begins${spec.resume.length > 0 ? ` with -r ${spec.resume.join(" ")}` : ""}`,
      );
      this.#main().then(
        (reason) => this.#exit(reason),
        (error: unknown) => this.#exit(`failed: ${error instanceof Error ? error.stack : String(error)}`),
      );
    });
  }

  pause(ms: number): void {
    this.process.stop();
    this.#world.clockwork.after(ms, null, () => this.process.resume(this.#world.random));
  }

  cut(ms: number): void {
    this.#client?.cut(ms);
  }

  reset(): void {
    this.#client?.reset();
  }

  #exit(reason: string): void {
    this.reason = reason;
    this.#world.say(this.process.name, () => `ends: ${reason}`);
    this.process.die();
  }

  async #main(): Promise<string> {
    const { world, plan, resume } = { world: this.#world, ...this.#spec };
    const { truth, bug, login } = world;
    const files = filesOf(this.run);
    const statusFile = await StatusFile.create(files.status, { sync: true });
    const ledger = new LedgerFile(files.ledger);
    const client = new StoreClient(world, this.process);
    this.#client = client;
    const connect = async (signal?: AbortSignal): Promise<KvsStore> => {
      const store = await client.connect(this.run, signal === undefined ? {} : { signal });
      return bug.driverStore?.(store, login) ?? store;
    };
    const perEngine = { start: linesOf(plan.items, "start"), stop: linesOf(plan.items, "stop") };
    const contexts = this.#spec.contexts.map((context) => {
      const hosts = context.slots.map((_, at) =>
        context.kind === "local" ? login : newHost(world, `node${at}`),
      );
      return new SimContext(world, this.process, context, hosts);
    });
    const leaseMs = bug.driverLease?.(plan.leaseMs) ?? plan.leaseMs;
    const info = encodeRunInfo({
      version: protocolVersion,
      jobId: files.jobId,
      nameTasks: "list",
      cwd: process.cwd(),
      prefix: files.prefix,
      leaseMs: plan.leaseMs,
      graceMs: plan.graceMs,
      perEngine,
      startMustSucceed: false,
      defaults: {
        cpusPerTask: null,
        tasksPerNode: null,
        envResources: [],
        idleTimeoutMs: null,
        launcher: "noop",
        logLevel: "silent",
      },
    });
    const { first, token } = await openFirst(connect, info);
    const checkOurs = ownFile(files.status);
    const store = new LastingStore(first, token, { info, connect, checkOurs, leaseMs });
    const found = resume.length > 0 ? await ResumeFiles.open(resume) : null;
    truth.newDriver();
    const core = new DriverCore(
      { needs: needsKey({ cores: 1 }), failFast: false, maxLosses: plan.maxLosses, node: "login", pid: 1 },
      perEngine,
    );
    observeRows(core, (row) => truth.onRow(row));
    core.onMembers({ engines: 0, slots: contexts.reduce((sum, { slots }) => sum + slots, 0), claimed: 0 });
    const enrolled: RunContext[] = [];
    const address = { addresses: [], private: world.privateStore };
    for (const context of contexts)
      enrolled.push(await enrolContext(context, { store, runId: this.run, address, leaseMs, log }));
    const room = new Bell();
    const source = { name: "list", read: async () => [], close: async () => undefined };
    const onNotice = (message: string): void => world.say(this.process.name, () => message);
    const driver = new Driver({
      store,
      token,
      core,
      feeder: new Feeder({
        core,
        source,
        first: plan.items.filter(({ kind }) => kind !== "perEngine"),
        resume: found === null ? null : { files: found, retryFailed: false, force: false },
        room,
        onNotice,
      }),
      room,
      sinks: [],
      statusFile,
      ledger,
      contexts: enrolled,
      drainsFailing: false,
      facts: {
        name: "list",
        prefix: files.prefix,
        host: "login",
        pid: 1,
        startedAt: Date.now(),
        total: plan.tasks,
        serves: plan.serves,
      },
      log,
      leaseMs,
      graceMs: plan.graceMs,
      onNotice,
    });
    const view = await driver.run();
    await store.close().catch(() => undefined);
    await store.disconnect();
    const { reason } = view;
    return reason === null ? "nothing" : reason.kind === "broken" ? `broken: ${reason.message}` : reason.kind;
  }
}

/** As store/open-store.ts does it. */
async function openFirst(
  connect: () => Promise<KvsStore>,
  info: Uint8Array,
): Promise<{ readonly first: KvsStore; readonly token: FencingToken }> {
  for (;;) {
    const first = await connect();
    try {
      return { first, token: await first.open(info) };
    } catch (error) {
      await first.disconnect();
      if (!(error instanceof KvsLostError)) throw error;
    }
  }
}

/** Rows as the driver decides on them. */
function observeRows(core: DriverCore, onRow: (row: StatusRow) => void): void {
  const take = core.takeRows.bind(core);
  core.takeRows = () => {
    const rows = take();
    for (const row of statusRows(rows)) onRow(row);
    return rows;
  };
}

export function filesOf(run: RunId): RunFiles {
  return runFiles(`${diskRoot}${run}`);
}
