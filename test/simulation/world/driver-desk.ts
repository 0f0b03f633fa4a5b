import { KvsLostError, type KvsStore } from "@taskmuster/kvs";
import {
  type FencingToken,
  type RunId,
  encodeRunInfo,
  needsKey,
  protocolVersion,
} from "@taskmuster/kvs/protocol";
import { DriverCore } from "../../../packages/driver/src/core/driver-core.js";
import type { Inheritance } from "../../../packages/driver/src/core/inheritance.js";
import type { LedgerFile } from "../../../packages/driver/src/ledger-file.js";
import type { ShutOut } from "../../../packages/driver/src/recovery/shut-out.js";
import type { ResumeFiles } from "../../../packages/driver/src/resume.js";
import { type RunFiles, runFiles } from "../../../packages/driver/src/run-files.js";
import type { StatusFile } from "../../../packages/driver/src/status-file.js";
import type { LastingStore } from "../../../packages/driver/src/store/lasting-store.js";
import { linesOf } from "../../scenarios/list.js";
import { diskRoot } from "../node/disk.js";
import type { Plan } from "../plan.js";
import type { Host, SimProcess } from "../time/process.js";
import { StoreClient } from "../wire/store-client.js";
import { type ContextPlan, SimContext } from "./sim-context.js";
import { type World, newHost } from "./world.js";

export interface DriverSpec {
  readonly plan: Plan;
  readonly contexts: readonly ContextPlan[];
  /** Counts the drivers. */
  readonly number: number;
  readonly host: Host;
  /** Names the run's files. */
  readonly prefix: string;
  /** Status files of earlier ones (`-r`). */
  readonly resume: readonly string[];
  /** `looks`: whether the driver of before is still at work, it can only tell by its beat. Null: a new run. */
  readonly recovers: { readonly looks: boolean } | null;
  /** The run is this driver's from now on. */
  readonly onBegun: () => void;
}

/** A run that a driver has begun, or taken over, and that is to be driven now. */
export interface Begun {
  readonly run: RunId;
  readonly store: LastingStore;
  readonly token: FencingToken;
  readonly core: DriverCore;
  readonly statusFile: StatusFile;
  readonly ledger: LedgerFile;
  readonly contexts: readonly SimContext[];
  readonly resume: ResumeFiles | null;
  readonly inherited: Inheritance | null;
  readonly mayBegin: Promise<void> | null;
  readonly shut: ShutOut | null;
  /** As `Truth` knows this driver. */
  readonly witness: number;
}

/** What a driver's program has at hand before there is a run. */
export class DriverDesk {
  readonly files: RunFiles;
  readonly perEngine: ReturnType<DriverDesk["linesPerEngine"]>;
  readonly client: StoreClient;
  /** What the driver takes for it. */
  readonly leaseMs: number;
  readonly world: World;
  readonly process: SimProcess;
  readonly spec: DriverSpec;

  constructor(world: World, process: SimProcess, spec: DriverSpec) {
    this.world = world;
    this.process = process;
    this.spec = spec;
    this.files = filesOf(spec.prefix);
    this.perEngine = this.linesPerEngine();
    this.client = new StoreClient(world, process, spec.plan.driverWireMs);
    const { leaseMs } = spec.plan;
    this.leaseMs = world.bug.driverLease?.(leaseMs) ?? leaseMs;
  }

  get address(): { readonly addresses: readonly string[]; readonly private: boolean } {
    return { addresses: ["redis://store"], private: this.world.privateStore };
  }

  async connect(run: RunId, signal?: AbortSignal): Promise<KvsStore> {
    const store = await this.client.connect(run, signal === undefined ? {} : { signal });
    return this.world.bug.driverStore?.(store, this.spec.host) ?? store;
  }

  /** As store/open-store.ts does it. */
  async openFirst(run: RunId): Promise<{ readonly first: KvsStore; readonly token: FencingToken }> {
    for (;;) {
      const first = await this.connect(run);
      try {
        return { first, token: await first.open(this.info) };
      } catch (error) {
        await first.disconnect();
        if (!(error instanceof KvsLostError)) throw error;
      }
    }
  }

  get info(): Uint8Array {
    const { plan } = this.spec;
    return encodeRunInfo({
      version: protocolVersion,
      jobId: this.files.jobId,
      nameTasks: "list",
      cwd: process.cwd(),
      prefix: this.files.prefix,
      leaseMs: plan.leaseMs,
      graceMs: plan.graceMs,
      perEngine: this.perEngine,
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
  }

  newCore(): DriverCore {
    const { maxLosses, policy } = this.spec.plan;
    const needs = needsKey({ cores: 1 });
    return new DriverCore(
      { needs, failFast: false, maxLosses, policy, node: "login", pid: 1 },
      this.perEngine,
    );
  }

  startContexts(): readonly SimContext[] {
    const { world, process, spec } = this;
    return spec.contexts.map((context) => {
      const hosts = context.slots.map((_, at) =>
        context.kind === "local" ? spec.host : newHost(world, `node${at}`),
      );
      return new SimContext(world, process, context, hosts);
    });
  }

  private linesPerEngine() {
    const { items } = this.spec.plan;
    return { start: linesOf(items, "start"), stop: linesOf(items, "stop") };
  }
}

export function filesOf(prefix: string): RunFiles {
  return runFiles(`${diskRoot}${prefix}`);
}
