import { hostname } from "node:os";
import type { EngineGone, StartingContext } from "@taskmuster/driver";
import { type BegunConfig, Context, type NodePlan, isThisHost } from "@taskmuster/engine";
import { type KvsAddress, TaskmusterError, addressForEngines } from "@taskmuster/kvs";
import { type ContextInfo, type EngineId, type RunInfo, protocolVersion } from "@taskmuster/kvs/protocol";
import type { ContextPlan } from "./plan-context.js";
import { type MethodOptions, methodFor, retirerFor } from "./methods.js";

export interface OwnContextOptions extends MethodOptions {
  readonly plan: ContextPlan;
  /** What holds for the run, after what this context was told itself. */
  readonly defaults: RunInfo["defaults"];
  readonly taskLimit: number | null;
}

/** A context that this process starts: its engines, and what is told of them to the store. */
export class OwnContext implements StartingContext {
  readonly label: string;
  readonly exactLabel: boolean;
  readonly taskLimit: number | null;
  readonly slots: number;
  readonly startMs: number;
  readonly gone: StartingContext["gone"];
  readonly #options: OwnContextOptions;
  readonly #context: Context;
  readonly #startedAt = Date.now();
  readonly #listeners: ((engine: EngineId, gone: EngineGone) => void)[] = [];
  readonly #onNews: (() => void)[] = [];
  #ended = "";

  /** Starts the engines at once; they do nothing before `begin`. */
  constructor(options: OwnContextOptions) {
    const { plan } = options;
    this.#options = options;
    this.label = plan.label;
    this.exactLabel = plan.exactLabel;
    this.taskLimit = options.taskLimit;
    this.slots = plan.plans.reduce((sum, { slots }) => sum + slots, 0);
    this.startMs = plan.kind === "slurm" ? slurmStartMs : plan.kind === "ssh" ? sshStartMs : localStartMs;
    this.#context = new Context({
      plans: plan.plans,
      methodFor: methodFor(options),
      retirer: retirerFor(options),
      events: {
        onEngineGone: (engine, node, end) => this.#onEngineGone(engine, node, end),
        onNotice: options.onNotice,
      },
    });
    this.gone = this.#context.gone.then((end) => {
      this.#ended = end.ok ? "all its engines have left" : end.message;
      this.#tell();
      return end;
    });
    this.#context.launch();
  }

  get engines(): readonly EngineId[] {
    return this.#context.engines;
  }

  get info(): ContextInfo {
    return {
      version: protocolVersion,
      kind: this.#options.plan.kind,
      host: hostname(),
      pid: process.pid,
      startedAt: this.#startedAt,
      limit: this.taskLimit,
      nodes: [...this.#context.nodes],
      ended: this.#ended,
    };
  }

  onEngineGone(listener: (engine: EngineId, gone: EngineGone) => void): void {
    this.#listeners.push(listener);
  }

  onNews(listener: () => void): void {
    this.#onNews.push(listener);
  }

  begin(run: Parameters<StartingContext["begin"]>[0]): void {
    const { plan, defaults } = this.#options;
    this.#context.begin((node: NodePlan, engine: EngineId): BegunConfig => ({
      runId: run.runId,
      address: addressForEngines(reachableFrom(node, run.address)),
      engine,
      context: run.context,
      cores: node.cores,
      slots: node.slots,
      coresPerTask: node.coresPerTask,
      allocation: plan.kind === "slurm",
      envResources: [...defaults.envResources],
      idleTimeoutMs: defaults.idleTimeoutMs,
      launcher: defaults.launcher,
      logLevel: defaults.logLevel,
    }));
  }

  drop(engine: EngineId, why: string): void {
    this.#context.drop(engine, why);
  }

  terminate(): void {
    this.#context.terminate();
  }

  kill(): void {
    this.#context.kill();
  }

  #onEngineGone(engine: EngineId, _node: NodePlan, gone: EngineGone): void {
    for (const listener of this.#listeners) listener(engine, gone);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#onNews) listener();
  }
}

/** A socket of this host leads nowhere on another one. */
function reachableFrom(node: NodePlan, address: KvsAddress): KvsAddress {
  if (isThisHost(node.host, hostname())) return address;
  return { ...address, addresses: address.addresses.filter((each) => !each.startsWith("unix:")) };
}

/** Throws `TaskmusterError` when engines on other hosts could never reach the run's store. */
export function checkReachable(plan: ContextPlan, address: KvsAddress): void {
  const elsewhere = plan.plans.find((node) => !isThisHost(node.host, hostname()));
  if (elsewhere === undefined || address.addresses.some((each) => !each.startsWith("unix:"))) return;
  throw new TaskmusterError(
    "E_KVS",
    `the key-value store of this run can only be reached on the driver's own host, so no engine on ${elsewhere.host} can join. ` +
      "Start the driver with -S, or with --use-address HOST:PORT, to add other hosts",
  );
}

const localStartMs = 60_000;
const sshStartMs = 120_000;
/** A step may have to wait for another one of the same job. */
const slurmStartMs = 600_000;
