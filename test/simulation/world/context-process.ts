import type { EnrolRequest } from "@taskmuster/kvs";
import {
  type RunId,
  decodeRunInfo,
  encodeContextInfo,
  encodeRequest,
  protocolVersion,
} from "@taskmuster/kvs/protocol";
import { ContextLink } from "../../../packages/cli/src/contexts/context-link.js";
import { SimProcess } from "../time/process.js";
import { type ContextPlan, SimContext } from "./sim-context.js";
import { StoreClient } from "../wire/store-client.js";
import { type World, newHost } from "./world.js";

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
    const client = new StoreClient(this.#world, this.process);
    const link = await ContextLink.start((onLost, wait) =>
      client.connect(this.#run, { onLost, ...(wait === "first" ? {} : wait) }),
    );
    const hosts = this.#plan.slots.map((_, at) => newHost(this.#world, `node${at}`));
    const request = {
      label: `${this.#plan.kind.toUpperCase()}#`,
      exactLabel: false,
      nonce: `context ${this.#world.random.int(1 << 30)}`,
      limit: this.#plan.limit,
    };
    const place = { kind: this.#plan.kind, host: "frontend", pid: 1, startedAt: 0, ended: "" } as const;
    const info = encodeContextInfo({ version: protocolVersion, ...place, limit: request.limit, nodes: [] });
    const answer = await link.enrol({ ...request, info });
    if (answer.kind !== "enrolled") return;
    const { leaseMs } = decodeRunInfo(answer.runInfo);
    const context = new SimContext(this.#world, this.process, this.#plan, hosts);
    const again = (): EnrolRequest => ({ ...request, info: encodeContextInfo(context.info) });
    const tellDeath = (engine: string, why: string): void => {
      const dead = { kind: "dead", version: protocolVersion, engine, why } as const;
      link.ask(encodeRequest(dead)).catch(() => undefined);
    };
    const dead: { readonly engine: string; readonly why: string }[] = [];
    context.onEngineGone((engine, { ok, proven, message }) => {
      if (!proven) return;
      dead.push({ engine, why: message });
      if (!ok) tellDeath(engine, message);
    });
    link.keep({
      request: () => ({ ...again(), label: answer.context, limit: request.limit === null ? null : 0 }),
      onBack: () => {
        for (const { engine, why } of dead) tellDeath(engine, why);
      },
      onError: (error) => this.#world.say("context", () => `cannot come back to the store: ${String(error)}`),
    });
    context.onNews(() => void link.enrol(again()).catch(() => undefined));
    const address = { addresses: [], private: this.#world.privateStore };
    context.begin({ runId: this.#run, address, context: answer.context, leaseMs });
    const look = setInterval(() => {
      if (this.#isOver()) context.kill();
    }, 5000);
    await context.gone;
    clearInterval(look);
    await link.disconnect();
  }
}
