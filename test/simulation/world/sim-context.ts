import { type ContextInfo, type EngineId, protocolVersion } from "@taskmuster/kvs/protocol";
import type { EngineGone, StartingContext } from "../../../packages/driver/src/run-context.js";
import { Context } from "../../../packages/engine/src/context/context.js";
import type { Host, SimProcess } from "../time/process.js";
import { EngineProcess } from "./engine-process.js";
import type { World } from "./world.js";

export interface ContextPlan {
  readonly kind: "local" | "ssh" | "slurm";
  /** Of each node. */
  readonly slots: readonly number[];
  readonly limit: number | null;
}

/** A real `Context` whose engines are simulated processes: what cli/contexts/own-context.ts is to those that are real. */
export class SimContext implements StartingContext {
  readonly label: string;
  readonly exactLabel = false;
  readonly taskLimit: number | null;
  readonly slots: number;
  readonly startMs = 60_000;
  readonly gone: StartingContext["gone"];
  readonly #plan: ContextPlan;
  readonly #context: Context;
  readonly #world: World;
  readonly #listeners: ((engine: EngineId, gone: EngineGone) => void)[] = [];
  readonly #onNews: (() => void)[] = [];
  #ended = "";

  /** To be made in a step of `starter`. */
  constructor(world: World, starter: SimProcess, plan: ContextPlan, hosts: readonly Host[]) {
    this.#world = world;
    this.#plan = plan;
    this.label = `${plan.kind.toUpperCase()}#`;
    this.taskLimit = plan.limit;
    this.slots = plan.slots.reduce((sum, slots) => sum + slots, 0);
    const remote = plan.kind !== "local";
    this.#context = new Context({
      plans: plan.slots.map((slots, at) => ({
        host: hosts[at]?.name ?? "",
        cores: slots,
        slots,
        coresPerTask: 1,
      })),
      methodFor: () => ({
        kind: plan.kind,
        launch: (node) => {
          const host = hosts.find(({ name }) => name === node.host) ?? world.login;
          return new EngineProcess(world, { host, starter, remote });
        },
      }),
      retirer: null,
      events: {
        onEngineGone: (engine, _node, end) => {
          for (const listener of this.#listeners) listener(engine, end);
          this.#tell();
        },
        onNotice: (message) => world.say(starter.name, () => message),
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
    const { kind, limit } = this.#plan;
    const nodes = [...this.#context.nodes];
    return {
      version: protocolVersion,
      kind,
      host: "login",
      pid: 1,
      startedAt: 0,
      limit,
      nodes,
      ended: this.#ended,
    };
  }

  onEngineGone(listener: (engine: EngineId, gone: EngineGone) => void): void {
    this.#listeners.push(listener);
  }

  onNews(listener: () => void): void {
    this.#onNews.push(listener);
  }

  begin({ runId, address, context }: Parameters<StartingContext["begin"]>[0]): void {
    if (this.taskLimit !== null) this.#world.truth.limit(`${runId}/${context}`, this.taskLimit);
    this.#context.begin((node, engine) => ({
      runId,
      address,
      engine,
      context,
      cores: node.cores,
      slots: node.slots,
      coresPerTask: 1,
      allocation: this.#plan.kind === "slurm",
      envResources: [],
      idleTimeoutMs: null,
      launcher: "noop",
      logLevel: "silent",
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

  #tell(): void {
    for (const listener of this.#onNews) listener();
  }
}
