import type { RunId } from "@taskmuster/kvs/protocol";
import { Bell } from "../../../packages/driver/src/bell.js";
import type { DriverCore } from "../../../packages/driver/src/core/driver-core.js";
import { type StatusRow, statusRows } from "../../../packages/driver/src/core/status-line/index.js";
import { Driver } from "../../../packages/driver/src/driver.js";
import { enrolContext } from "../../../packages/driver/src/enrol-context.js";
import { Feeder } from "../../../packages/driver/src/feeder.js";
import type { RunContext } from "../../../packages/driver/src/run-context.js";
import { silentLog } from "../../../packages/driver/test/silent-log.js";
import { SimProcess } from "../time/process.js";
import { beginRun } from "./begin-run.js";
import { type Begun, DriverDesk, type DriverSpec } from "./driver-desk.js";
import { recoverRun } from "./recover-run.js";
import type { World } from "./world.js";

const log = silentLog;

/** The program `driver`: what start-run.ts and recover-run.ts put together, on simulated parts. */
export class DriverProcess {
  readonly process: SimProcess;
  readonly spec: DriverSpec;
  readonly status: string;
  /** How the run ended; null: it has not, or was killed. */
  reason: string | null = null;
  /** Null: it has none yet. */
  run: RunId | null = null;
  readonly #desk: DriverDesk;
  readonly #world: World;

  constructor(world: World, spec: DriverSpec) {
    this.#world = world;
    this.spec = spec;
    const { number } = spec;
    this.process = new SimProcess(world.clockwork, spec.host, `driver${number}`, noRealPid + number);
    this.#desk = new DriverDesk(world, this.process, spec);
    this.status = this.#desk.files.status;
    world.clockwork.after(1, this.process, () => {
      const how = spec.recovers === null ? (spec.resume.length > 0 ? "-r " : "") : "--recover ";
      world.say(this.process.name, () => `begins ${how}${spec.prefix}`);
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
    this.#desk.client.cut(ms);
  }

  reset(): void {
    this.#desk.client.reset();
  }

  #exit(reason: string): void {
    this.reason = reason;
    this.#world.say(this.process.name, () => `ends: ${reason}`);
    this.process.die();
  }

  async #main(): Promise<string> {
    const begun = this.spec.recovers === null ? await beginRun(this.#desk) : await recoverRun(this.#desk);
    this.run = begun.run;
    this.spec.onBegun();
    observeRows(begun.core, (row) => this.#world.truth.onRow(begun.witness, row));
    const driver = await this.#assemble(begun);
    const view = await driver.run();
    await begun.shut?.end();
    // As finishRun: of a run that another driver has taken over nothing is touched.
    if (!driver.wasFenced) await begun.store.close().catch(() => undefined);
    await begun.store.disconnect();
    const { reason } = view;
    return reason === null ? "nothing" : reason.kind === "broken" ? `broken: ${reason.message}` : reason.kind;
  }

  /** What assemble-run.ts does. */
  async #assemble(begun: Begun): Promise<Driver> {
    const { store, token, core, run, contexts, resume, inherited, mayBegin } = begun;
    const { plan } = this.spec;
    const { leaseMs, address, files } = this.#desk;
    core.onMembers({ engines: 0, slots: contexts.reduce((sum, { slots }) => sum + slots, 0), claimed: 0 });
    const enrolled: RunContext[] = [];
    for (const context of contexts)
      enrolled.push(await enrolContext(context, { store, runId: run, address, leaseMs, log }));
    const room = new Bell();
    const source = { name: "list", read: async () => [], close: async () => undefined };
    const onNotice = (message: string): void => this.#world.say(this.process.name, () => message);
    return new Driver({
      store,
      token,
      core,
      feeder: new Feeder({
        core,
        source,
        first: plan.items.filter(({ kind }) => kind !== "perEngine"),
        resume: resume === null ? null : { files: resume, retryFailed: false, force: false },
        inherited,
        mayBegin,
        room,
        onNotice,
      }),
      room,
      sinks: [],
      statusFile: begun.statusFile,
      ledger: begun.ledger,
      contexts: enrolled,
      drainsFailing: false,
      facts: {
        name: "list",
        prefix: files.prefix,
        host: "login",
        pid: process.pid,
        startedAt: Date.now(),
        total: plan.tasks,
        serves: plan.serves,
      },
      log,
      leaseMs,
      graceMs: plan.graceMs,
      onNotice,
    });
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

/** Above any that a real process can have. */
const noRealPid = 1_000_000_000;
