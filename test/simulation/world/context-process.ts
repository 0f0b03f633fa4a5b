import {
  type RunId,
  decodeRunInfo,
  encodeContextInfo,
  encodeRequest,
  protocolVersion,
} from "@taskmuster/kvs/protocol";
import type { KvsStore } from "@taskmuster/kvs";
import { SimProcess } from "../time/process.js";
import { type ContextPlan, SimContext } from "./sim-context.js";
import { type World, connect, newHost } from "./world.js";

/** The program behind `dbUtil.sh`, on a host of its own: cli/context-command.ts and cli/contexts/attend.ts. */
export class ContextProcess {
  readonly process: SimProcess;
  readonly #world: World;
  readonly #run: RunId;
  readonly #plan: ContextPlan;
  readonly #isOver: () => boolean;

  constructor(world: World, run: RunId, plan: ContextPlan, isOver: () => boolean) {
    this.#world = world;
    this.#run = run;
    this.#plan = plan;
    this.#isOver = isOver;
    this.process = new SimProcess(world.clockwork, newHost(world, "frontend"), "context");
    world.clockwork.after(10, this.process, () => {
      this.#main().then(
        () => this.process.die(),
        (error: unknown) => {
          world.say("context", () => `ends: ${String(error)}`);
          this.process.die();
        },
      );
    });
  }

  async #main(): Promise<void> {
    const { link } = connect(this.#world, this.process, this.#run);
    const { store } = link;
    const hosts = this.#plan.slots.map((_, at) => newHost(this.#world, `node${at}`));
    const request = {
      label: `${this.#plan.kind.toUpperCase()}#`,
      exactLabel: false,
      nonce: `context ${this.#world.random.int(1 << 30)}`,
      limit: this.#plan.limit,
    };
    const place = { kind: this.#plan.kind, host: "frontend", pid: 1, startedAt: 0, ended: "" } as const;
    const info = encodeContextInfo({ version: protocolVersion, ...place, limit: request.limit, nodes: [] });
    const answer = await store.enrol({ ...request, info });
    if (answer.kind !== "enrolled") return;
    const { leaseMs } = decodeRunInfo(answer.runInfo);
    const context = new SimContext(this.#world, this.process, this.#plan, hosts);
    const sendNews = (): void => {
      store.enrol({ ...request, info: encodeContextInfo(context.info) }).catch(() => undefined);
    };
    context.onEngineGone((engine, gone) => {
      if (!gone.ok && gone.proven) this.#tellDeath(store, engine, gone.message);
    });
    context.onNews(sendNews);
    const address = { addresses: [], private: false };
    context.begin({ runId: this.#run, address, context: answer.context, leaseMs });
    const look = setInterval(() => {
      if (this.#isOver()) context.kill();
    }, 5000);
    await context.gone;
    clearInterval(look);
    await store.disconnect();
  }

  #tellDeath(store: KvsStore, engine: string, why: string): void {
    const dead = { kind: "dead", version: protocolVersion, engine, why } as const;
    store.ask(encodeRequest(dead)).catch(() => undefined);
  }
}
