import { MemoryServer, MemoryStore, type SavedRuns } from "@taskmuster/kvs/memory";
import {
  type ContextId,
  type Request,
  type RunInfo,
  contextId,
  encodeContextInfo,
  encodeEngineInfo,
  encodeRequest,
  encodeRunInfo,
  engineId,
  protocolVersion,
  runId,
} from "@taskmuster/kvs/protocol";
import { LastingStore } from "../../packages/driver/src/store/lasting-store.js";
import { type TaskPolicy, plainPolicy } from "../../packages/driver/src/core/task-policy.js";
import { DriverActor } from "./driver-actor.js";
import { EngineActor } from "./engine-actor.js";
import { Invariants } from "./invariants.js";
import { itemsOf, linesOf } from "./list.js";
import type { Command } from "./trace-file.js";

const run = runId("scenario");
const protocol = { version: protocolVersion } as const;
type OrderRequest = Extract<Request, { kind: "order" }>;
const defaults = {
  cpusPerTask: null,
  tasksPerNode: null,
  envResources: [],
  idleTimeoutMs: null,
  launcher: "noop",
  logLevel: "info",
} as const satisfies RunInfo["defaults"];

/**
 * The whole system in one process, without timers: the driver's core, engine cores, and a store in memory. They take turns in a fixed
 * order until nothing moves, so that a scenario happens the same way each time.
 */
export class World {
  readonly #server = new MemoryServer();
  readonly #engines: EngineActor[] = [];
  #driver: DriverActor | null = null;
  #invariants = new Invariants([]);
  #happened: string[] = [];
  #lines = 0;
  #nonces = 0;
  #nowMs = 0;
  #saved: SavedRuns = new Map();

  /** Does one command of a scenario; answers what happened, line by line. */
  async do({ words, lines }: Command): Promise<readonly string[]> {
    const [verb = "", ...rest] = words;
    const name = rest[0] ?? "";
    const word = (key: string, fallback: string): string =>
      rest.find((each) => each.startsWith(`${key}=`))?.slice(key.length + 1) ?? fallback;
    const option = (key: string, fallback: number): number => Number(word(key, `${fallback}`));
    switch (verb) {
      case "list":
        await this.#open(lines, {
          failFast: rest.includes("fail-fast"),
          maxLosses: option("max-losses", 5),
          policy: {
            ...plainPolicy,
            retries: option("retries", 0),
            retryDelayMs: option("retry-delay", 1000),
          },
        });
        break;
      case "engine":
        await this.#join(name, option("slots", 1), contextId(word("context", "SSH0")));
        break;
      case "context":
        await this.#enrol(name, word("limit", "") === "" ? null : option("limit", 0));
        break;
      case "ask-run":
        await this.#ask({ scope: "run", name: "", wanted: wantedOf(name) });
        break;
      case "ask-context":
        await this.#ask({ scope: "context", name, wanted: wantedOf(rest[1] ?? "") });
        break;
      case "ask-engine":
        await this.#ask({ scope: "engine", name: this.#engine(name).id, wanted: wantedOf(rest[1] ?? "") });
        break;
      case "run":
        await this.#settle();
        break;
      case "turn":
        if (name === "driver") await this.#theDriver.turn();
        else await this.#engine(name).turn();
        break;
      case "forget":
        this.#server.forget();
        this.#say("store", "forgets everything");
        break;
      case "save":
        this.#saved = this.#server.snapshot();
        break;
      case "fall-back":
        this.#server.restore(this.#saved);
        this.#say("store", "falls back to what it was");
        break;
      case "wait":
        this.#wait(Number(name));
        break;
      case "finish":
        if (!this.engines.some((engine) => engine.finish(name, option("exit", 0)))) {
          throw new Error(`nobody runs: wait ${name}`);
        }
        break;
      case "time-out":
        if (!this.engines.some((engine) => engine.timeOut(name)))
          throw new Error(`nobody runs: wait ${name}`);
        break;
      case "pass":
        this.#theDriver.pass(Number(name));
        break;
      case "remind":
        this.#engine(name).remind();
        break;
      case "cut":
        this.#engine(name).cut();
        break;
      case "heal":
        this.#engine(name).heal();
        break;
      case "kill":
        this.#engine(name).die();
        break;
      case "fence":
        this.#engine(name).fence();
        break;
      case "signal":
        this.#engine(name).signal();
        break;
      case "lose":
        await this.#theDriver.lose(this.#engine(name).id);
        break;
      case "drain":
        this.#theDriver.core.drain("Ctrl-C");
        break;
      case "stop":
        this.#theDriver.core.stop({ kind: "stopped", signal: "SIGTERM" });
        break;
      case "no-more-engines":
        await this.#settle();
        this.#theDriver.end();
        break;
      default:
        throw new Error(`no such command: ${words.join(" ")}`);
    }
    const happened = this.#happened;
    this.#happened = [];
    return happened;
  }

  /** Engines that have not left and are not dead. */
  get engines(): readonly EngineActor[] {
    return this.#engines.filter((engine) => !engine.gone);
  }

  /** Why the run has ended, or is about to; null: it goes on. */
  get reason(): string | null {
    return this.#theDriver.core.reason?.kind ?? null;
  }

  /** Throws when a line of the list has no final row. */
  assertComplete(): void {
    this.#invariants.assertComplete(this.#lines);
  }

  get #theDriver(): DriverActor {
    if (this.#driver === null) throw new Error("a scenario begins with a list");
    return this.#driver;
  }

  #engine(name: string): EngineActor {
    const engine = this.#engines.find((each) => each.name === name);
    if (engine === undefined) throw new Error(`no engine ${name}`);
    return engine;
  }

  readonly #say = (who: string, what: string): void => {
    this.#happened.push(`${who.padEnd(7)} ${what}`);
  };

  /** One that finds the bell silent waits no longer: there are no timers here. */
  #store(): MemoryStore {
    return new MemoryStore(this.#server, run, (callback) => {
      queueMicrotask(callback);
      return () => undefined;
    });
  }

  async #open(
    lines: readonly string[],
    options: { readonly failFast: boolean; readonly maxLosses: number; readonly policy: TaskPolicy },
  ): Promise<void> {
    const items = itemsOf(lines);
    this.#lines = items.filter((item) => item.kind === "task" || item.kind === "barrier").length;
    this.#invariants = new Invariants(items.flatMap((item) => (item.kind === "barrier" ? [item.id] : [])));
    const perEngine = { start: linesOf(items, "start"), stop: linesOf(items, "stop") };
    const first = this.#store();
    const names = { jobId: "job", nameTasks: "tasks", cwd: "/", prefix: "/job" };
    const settings = { leaseMs: 300_000, graceMs: 3000, startMustSucceed: false, defaults };
    const info = encodeRunInfo({ ...protocol, ...names, ...settings, perEngine });
    const token = await first.open(info);
    const store = new LastingStore(first, token, {
      info,
      connect: async () => this.#store(),
      checkOurs: () => undefined,
      leaseMs: settings.leaseMs,
      now: () => this.#nowMs,
    });
    const say = this.#say;
    this.#driver = new DriverActor({
      store,
      token,
      perEngine,
      items,
      say,
      invariants: this.#invariants,
      ...options,
    });
  }

  async #enrol(label: string, limit: number | null): Promise<void> {
    const place = { kind: "ssh", host: "login", pid: 1, startedAt: 0, ended: "" } as const;
    const info = encodeContextInfo({ ...protocol, ...place, limit, nodes: [] });
    const nonce = `nonce ${++this.#nonces}`;
    const enrolled = await this.#store().enrol({ label, exactLabel: false, nonce, info, limit });
    if (enrolled.kind !== "enrolled") throw new Error(`not enrolled: ${enrolled.kind}`);
    this.#say(enrolled.context, `enrols${limit === null ? "" : ` for ${limit} tasks`}`);
  }

  async #ask(order: Pick<OrderRequest, "scope" | "name" | "wanted">): Promise<void> {
    await this.#store().ask(encodeRequest({ kind: "order", ...protocol, ...order, by: "me@login" }));
  }

  async #join(name: string, slots: number, context: ContextId): Promise<void> {
    const store = this.#store();
    const id = engineId(`engine0${name}`);
    const info = encodeEngineInfo({ ...protocol, host: name, pid: 1, slots, cores: slots, endsAt: null });
    const joined = await store.join({ engine: id, context, info });
    if (joined.kind === "noRun") throw new Error("there is no run");
    this.#say(name, `joins with rank ${joined.rank} and ${slots} slot${slots === 1 ? "" : "s"}`);
    const identity = { engine: id, context, info, rank: joined.rank };
    const connect = (): MemoryStore => this.#store();
    const [say, invariants] = [this.#say, this.#invariants];
    this.#engines.push(new EngineActor({ name, id, identity, slots, connect, joined, say, invariants }));
  }

  /** Seconds, fewer than a lease. Who is cut off, and not known to the driver, has but a short one. */
  #wait(seconds: number): void {
    this.#nowMs += seconds * 1000;
    for (const engine of this.engines) if (!engine.linked && !engine.greeted) engine.fence();
  }

  async #settle(): Promise<void> {
    for (let round = 0; round < 1000; round++) {
      let moved = await this.#theDriver.turn();
      for (const engine of this.#engines) moved = (await engine.turn()) || moved;
      if (moved) continue;
      const isEnding = this.#theDriver.core.phase !== "running";
      if (isEnding && this.#engines.every((engine) => engine.gone)) this.#theDriver.end();
      return;
    }
    throw new Error(`it never comes to rest; the last lines: ${this.#happened.slice(-20).join("\n")}`);
  }
}

function wantedOf(text: string): OrderRequest["wanted"] {
  if (text === "drain" || text === "stop") return text;
  throw new Error(`no such order: ${text}`);
}
