import { type ExchangeAnswer, type ExchangeRequest, KvsLostError, type KvsStore } from "@taskmuster/kvs";
import {
  type AnnounceRequest,
  type EngineId,
  type JoinAnswer,
  decodeReport,
  decodeRunInfo,
} from "@taskmuster/kvs/protocol";
import { EngineCore, type EnginePort } from "../../packages/engine/src/core/engine-core.js";
import { slotPlaces } from "../../packages/engine/src/slot-places.js";
import type { Invariants } from "./invariants.js";
import { ScriptedLauncher } from "./scripted-launcher.js";
import { type Say, numbered, outcomeText } from "./words.js";

export interface EngineActorOptions {
  readonly name: string;
  readonly id: EngineId;
  readonly slots: number;
  readonly connect: () => KvsStore;
  readonly identity: Pick<AnnounceRequest, "engine" | "context" | "info" | "rank">;
  readonly joined: Extract<JoinAnswer, { kind: "joined" }>;
  readonly say: Say;
  readonly invariants: Invariants;
}

/** An engine's shell, one turn at a time. */
export class EngineActor {
  readonly name: string;
  readonly id: EngineId;
  readonly core: EngineCore;
  readonly #options: EngineActorOptions;
  readonly #launcher: ScriptedLauncher;
  #request: ExchangeRequest | null = null;
  #answer: ExchangeAnswer | null = null;
  #reminder = false;
  #linked = true;
  #store: KvsStore;
  #forgotten = false;
  #renewals = 0;
  #greeted = false;
  #state: "alive" | "leaving" | "gone" = "alive";

  constructor(options: EngineActorOptions) {
    this.name = options.name;
    this.id = options.id;
    this.#options = options;
    this.#store = options.connect();
    const run = decodeRunInfo(options.joined.runInfo);
    const { slots, joined } = options;
    const place = { engineRank: joined.rank, coresPerTask: 1 };
    this.#launcher = new ScriptedLauncher({
      name: options.name,
      slots,
      places: slotPlaces(run, place, { slots, shares: [] }),
      invariants: options.invariants,
      say: (what) => this.#say(what),
      onEnd: (end) => this.core.onTaskEnds([end]),
      onRecalled: (tags) => this.core.onRecalled(tags),
    });
    const settings = { engine: options.id, host: options.name, slots, coresPerTask: 1 };
    this.core = new EngineCore({ ...settings, maxReports: 100, maxBytes: 100_000 }, this.#port(), {
      rank: options.joined.rank,
      run,
      needs: options.joined.needs,
    });
    this.core.begin();
  }

  /** It has left, or is dead. */
  get gone(): boolean {
    return this.#state === "gone";
  }

  /** The driver knows of it, as far as it has heard. */
  get greeted(): boolean {
    return this.#greeted;
  }

  get linked(): boolean {
    return this.#linked;
  }

  /** Whether anything happened. */
  async turn(): Promise<boolean> {
    if (this.gone) return false;
    const heard = this.#linked && (await this.#hearWhoever());
    const ended = this.#launcher.endTasks();
    const recalled = this.#launcher.tellRecalled();
    return heard || ended || recalled;
  }

  /** Ends a `wait NAME`. False: it does not run here. */
  finish(name: string, code: number): boolean {
    return this.#launcher.finish(name, code);
  }

  /** A `wait NAME` has run for as long as it may. False: it does not run here. */
  timeOut(name: string): boolean {
    return this.#launcher.timeOut(name);
  }

  /** So much time passes that it looks whether what waits there does so rightly. */
  remind(): void {
    if (!this.#reminder) return;
    this.#reminder = false;
    this.core.onReminder();
  }

  cut(): void {
    this.#linked = false;
    this.#say("is cut off");
  }

  heal(): void {
    this.#linked = true;
    this.#say("is heard again");
  }

  die(): void {
    this.#state = "gone";
    this.#options.invariants.onDeath(this.name);
    this.#say("dies, and its tasks with it");
  }

  /** Its guardian kills all that it runs, as nobody has heard of it for so long. */
  fence(): void {
    this.#launcher.fence();
  }

  /** It is told to stop, and not through the store. */
  signal(): void {
    this.#say("gets a signal");
    this.core.onWanted("stop");
  }

  /** What it waits for: the names of `wait NAME`. */
  get waits(): readonly string[] {
    return this.#launcher.waits;
  }

  #port(): EnginePort {
    return {
      launch: (tag, command, env) => {
        const stage = this.core.phase === "starting" ? "START" : "STOP";
        this.#launcher.launch(tag, `${stage} ${env["DISBATCH_TASKID"]}`, command);
      },
      enqueue: this.#launcher.enqueue,
      recall: () => this.#launcher.recall(),
      stop: (tag) => this.#launcher.stop(tag),
      exchange: (request) => {
        this.#request = request;
      },
      remind: () => {
        this.#reminder = true;
      },
      leave: () => {
        this.#state = "leaving";
      },
    };
  }

  /** The store, or one that has taken its place. */
  async #hearWhoever(): Promise<boolean> {
    try {
      if (this.#forgotten) return await this.#announce();
      const renewal = { engine: this.id, counter: ++this.#renewals, stats: new Uint8Array() };
      this.#greeted = (await this.#store.renew(renewal)).greeted;
      return await this.#hear();
    } catch (error) {
      if (!(error instanceof KvsLostError) || error.loss !== "forgotten") throw error;
      this.#forgotten = true;
      const answer = this.#answer;
      this.#answer = null;
      this.#request = null;
      if (answer !== null) this.core.onExchanged(answer);
      this.#store = this.#options.connect();
      return true;
    }
  }

  /** False: the run is not there. */
  async #announce(): Promise<boolean> {
    for (const part of this.core.announce()) {
      const answer = await this.#store.announce({ ...this.#options.identity, ...part });
      if (answer.kind === "noRun") return false;
      const holds = part.claims.length === 0 ? "nothing" : part.claims.map(numbered).join(" ");
      const told = answer.wanted === "run" ? "" : `, is told to ${answer.wanted}`;
      this.#say(`announces itself with ${holds}${told}`);
      if (!part.last) continue;
      this.#forgotten = false;
      this.core.onAnnounced(answer);
    }
    return true;
  }

  async #hear(): Promise<boolean> {
    const store = this.#store;
    if (this.#state === "leaving") {
      if (!(await store.leave(this.id, ""))) throw new Error(`${this.name} leaves with claims`);
      this.#state = "gone";
      this.#say("leaves");
      return true;
    }
    const answer = this.#answer;
    this.#answer = null;
    if (answer !== null) this.core.onExchanged(answer);
    const rung = (await store.waitForBell(this.id, 0)) === "rung";
    if (rung) this.core.onBell();
    const sent = await this.#exchange();
    return answer !== null || rung || sent;
  }

  async #exchange(): Promise<boolean> {
    const request = this.#request;
    if (request === null) return false;
    this.#request = null;
    const parts: string[] = [];
    for (const { body } of request.reports) {
      const report = decodeReport(body);
      const label = report.kind === "task" ? numbered(report) : `${report.kind.toUpperCase()} ${report.id}`;
      parts.push(`reports ${label} ${outcomeText(report.outcome)}`);
    }
    if (request.releases.length > 0) parts.push(`releases ${request.releases.map(numbered).join(" ")}`);
    const answer = await this.#store.exchange(request);
    if (answer.tasks.length > 0) parts.push(`claims ${answer.tasks.map(numbered).join(" ")}`);
    for (const task of answer.tasks) this.#launcher.onClaimed(task.id, task.attempt);
    if (answer.wanted !== "run") parts.push(`is told to ${answer.wanted}`);
    if (parts.length > 0) this.#say(parts.join(", "));
    this.#answer = answer;
    return true;
  }

  #say(what: string): void {
    this.#options.say(this.name, what);
  }
}
