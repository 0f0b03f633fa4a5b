import { randomBytes } from "node:crypto";
import { type ContextInfo, type EngineId, engineId } from "@taskmuster/kvs/protocol";
import type { NodePlan } from "../core/node-plan.js";
import type { BegunConfig, ContextMethod, EngineEnd, EngineHandle } from "./engine-handle.js";
import type { Retirer } from "./retirer.js";

export interface ContextEvents {
  onEngineGone(engine: EngineId, plan: NodePlan, end: EngineEnd): void;
  /** For people; names the host. */
  onNotice(message: string): void;
}

export interface ContextOptions {
  readonly plans: readonly NodePlan[];
  readonly methodFor: (plan: NodePlan) => ContextMethod;
  /** Null: nodes are not handed back. */
  readonly retirer: Pick<Retirer, "abort" | "close" | "retire"> | null;
  readonly events: ContextEvents;
}

/** `message`: why, when it is not ok. */
export interface ContextEnd {
  readonly ok: boolean;
  readonly message: string;
}

interface Member {
  readonly plan: NodePlan;
  readonly engine: EngineId;
  handle: EngineHandle | null;
  end: EngineEnd | null;
  state: "starting" | "gone" | "failed";
  /** Why it was given up; null: it was not. */
  dropped: string | null;
}

/**
 * A batch of nodes that join a run together, with an engine on each. It starts the engines and watches over them, one that fails
 * not stopping the others, and hands each node back when its engine has ended.
 */
export class Context {
  /** Resolves when all engines are gone and their nodes handed back. Ok: at least one worked as it should, or none was needed. */
  readonly gone: Promise<ContextEnd>;
  readonly #options: ContextOptions;
  readonly #members: readonly Member[];
  #resolve: (end: ContextEnd) => void = () => undefined;
  #phase: "new" | "launched" | "begun" = "new";
  #stopped = false;
  #notices = 0;

  constructor(options: ContextOptions) {
    this.#options = options;
    this.#members = options.plans.map((plan) => ({
      plan,
      engine: engineId(randomBytes(8).toString("hex")),
      handle: null,
      end: null,
      state: "starting",
      dropped: null,
    }));
    this.gone = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Engines that have not ended. */
  get engines(): readonly EngineId[] {
    return this.#members.flatMap(({ engine, end }) => (end === null ? [engine] : []));
  }

  /** What the store is told of its nodes; engines that run speak for themselves there. */
  get nodes(): ContextInfo["nodes"] {
    return this.#members.map(({ plan, end, state }) => ({
      host: plan.host,
      slots: plan.slots,
      state,
      why: end?.message ?? "",
    }));
  }

  /** Starts the engine processes. They do nothing before `begin`, so that this can overlap with other things. */
  launch(): void {
    if (this.#phase !== "new") return;
    this.#phase = "launched";
    for (const member of this.#members) {
      const handle = this.#options.methodFor(member.plan).launch(member.plan);
      member.handle = handle;
      void handle.gone.then((end) => this.#onGone(member, end));
    }
    if (this.#members.length === 0) void this.#end();
  }

  /** Tells each engine that is still there what to do. */
  begin(configFor: (plan: NodePlan, engine: EngineId) => BegunConfig): void {
    this.#phase = "begun";
    for (const { plan, engine, handle, end } of this.#members) {
      if (end === null) handle?.begin(configFor(plan, engine));
    }
  }

  /** Kills one engine, or at least what connects us to it. `why`, for people; empty: they know already. */
  drop(engine: EngineId, why: string): void {
    const member = this.#members.find((each) => each.engine === engine);
    if (member?.end !== null) return;
    member.dropped = why;
    member.handle?.kill();
  }

  /** Asks the engines to stop their tasks and go, without the store. */
  terminate(): void {
    this.#stopped = true;
    for (const { handle, end } of this.#members) if (end === null) handle?.terminate();
  }

  kill(): void {
    this.#stopped = true;
    this.#options.retirer?.abort();
    for (const { handle, end } of this.#members) if (end === null) handle?.kill();
  }

  #onGone(member: Member, end: EngineEnd): void {
    member.end = end;
    // What it says when it was told to go is no failure.
    member.state = end.ok || this.#stopped ? "gone" : "failed";
    const { plan, engine } = member;
    const { events, retirer } = this.#options;
    const left = this.#members.filter((each) => each.end === null);
    const notice =
      member.dropped === null ? end.message : member.dropped && `${plan.host}: given up: ${member.dropped}`;
    // A context of one node says the same at its end.
    const isNews = member.dropped !== null || (!end.ok && !this.#stopped && this.#members.length > 1);
    if (isNews && notice !== "" && ++this.#notices <= mostNotices) events.onNotice(notice);
    events.onEngineGone(engine, plan, end);
    retirer?.retire(
      { host: plan.host, exitStatus: end.exitStatus },
      left.map((each) => each.plan.host),
    );
    if (left.length === 0) void this.#end();
  }

  async #end(): Promise<void> {
    await this.#options.retirer?.close();
    const ends = this.#members.flatMap(({ end }) => (end === null ? [] : [end]));
    const unneeded = ends.length === 0 || (this.#stopped && this.#phase !== "begun");
    if (unneeded || ends.some(({ ok }) => ok)) return this.#resolve({ ok: true, message: "" });
    const reasons = [...new Set(ends.map(({ message }) => message))];
    const more = reasons.length > mostReasons ? `; and ${reasons.length - mostReasons} more` : "";
    this.#resolve({ ok: false, message: reasons.slice(0, mostReasons).join("; ") + more });
  }
}

const mostNotices = 20;
const mostReasons = 3;
