import { type ExchangeAnswer, type ExchangeRequest, KvsLostError, type KvsStore } from "@taskmuster/kvs";
import {
  type AnnounceRequest,
  type EngineId,
  type JoinAnswer,
  type Outcome,
  attempt,
  decodeReport,
  decodeRunInfo,
} from "@taskmuster/kvs/protocol";
import { EngineCore, type EnginePort } from "../../packages/engine/src/core/engine-core.js";
import { SlotQueue } from "../../packages/engine/src/launcher/slot-queue.js";
import { slotPlaces } from "../../packages/engine/src/slot-places.js";
import type { Invariants } from "./invariants.js";
import { type Say, numbered, outcomeText, text } from "./words.js";

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

interface Running {
  /** `0`, `0.2`, or `START 0`. */
  readonly label: string;
  readonly id: number | null;
  readonly command: string;
  readonly timeoutMs: number | null;
  stopped: boolean;
}

/**
 * An engine's shell, one turn at a time, with a launcher that starts in slots as all do and does what the command says: see
 * `scriptedOutcome`.
 */
export class EngineActor {
  readonly name: string;
  readonly id: EngineId;
  readonly core: EngineCore;
  readonly #options: EngineActorOptions;
  readonly #queue = new SlotQueue();
  readonly #recalled: number[] = [];
  readonly #running = new Map<number, Running>();
  readonly #attempts = new Map<number, number>();
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
    this.#queue.setSlots(slotPlaces(run, place, { slots, shares: [] }));
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
    const ended = this.#endTasks();
    const recalled = this.#tellRecalled();
    return heard || ended || recalled;
  }

  /** Ends a `wait NAME`. False: it does not run here. */
  finish(name: string, code: number): boolean {
    for (const [tag, running] of this.#running) {
      if (running.command !== `wait ${name}`) continue;
      this.#end(tag, { kind: "exited", code }, false);
      return true;
    }
    return false;
  }

  /** A `wait NAME` has run for as long as it may. False: it does not run here. */
  timeOut(name: string): boolean {
    for (const [tag, running] of this.#running) {
      if (running.command !== `wait ${name}`) continue;
      if (running.timeoutMs === null) throw new Error(`wait ${name} may run for ever`);
      this.#end(tag, { kind: "timedOut", signal: 15 }, false);
      return true;
    }
    return false;
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
    for (const running of this.#running.values()) running.stopped = true;
    this.#takeBack();
    this.#endTasks();
    this.#tellRecalled();
  }

  /** It is told to stop, and not through the store. */
  signal(): void {
    this.#say("gets a signal");
    this.core.onWanted("stop");
  }

  /** What it waits for: the names of `wait NAME`. */
  get waits(): readonly string[] {
    return [...this.#running.values()].flatMap(({ command }) =>
      command.startsWith("wait ") ? [command.slice(5)] : [],
    );
  }

  #port(): EnginePort {
    return {
      launch: (tag, command, env) => {
        const stage = this.core.phase === "starting" ? "START" : "STOP";
        this.#start(tag, `${stage} ${env["DISBATCH_TASKID"]}`, null, text(command));
      },
      enqueue: (tag, command, env, timeoutMs) => {
        const timeout = timeoutMs === null ? null : { afterMs: timeoutMs, graceMs: 0 };
        this.#queue.add({ tag, command, env, timeout });
        this.#fill();
      },
      recall: () => this.#takeBack(),
      stop: (tag) => {
        const running = this.#running.get(tag);
        if (running !== undefined) running.stopped = true;
      },
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
    for (const task of answer.tasks) this.#attempts.set(task.id, task.attempt);
    if (answer.wanted !== "run") parts.push(`is told to ${answer.wanted}`);
    if (parts.length > 0) this.#say(parts.join(", "));
    this.#answer = answer;
    return true;
  }

  /** Starts whatever has a slot. */
  #fill(): void {
    for (let next = this.#queue.next(); next !== null; next = this.#queue.next()) {
      const { request, place } = next;
      const id = Number(request.env["DISBATCH_TASKID"]);
      const label = numbered({ id, attempt: attempt(this.#attempts.get(id) ?? 1) });
      this.#options.invariants.onLaunch(this.name, this.#options.slots, id);
      const slot = `in slot ${place.env["DISBATCH_CYLINDER_RANK"]}`;
      const timeoutMs = request.timeout?.afterMs ?? null;
      this.#start(request.tag, label, id, text(request.command), slot, timeoutMs);
    }
  }

  #start(
    tag: number,
    label: string,
    id: number | null,
    command: string,
    where = "",
    timeoutMs: number | null = null,
  ): void {
    const within = timeoutMs === null ? "" : `, for ${timeoutMs} ms`;
    this.#say(`starts ${label}${where === "" ? "" : ` ${where}`}${within}: ${command}`);
    this.#running.set(tag, { label, id, command, timeoutMs, stopped: false });
  }

  /** What has no slot yet. The core hears of it later. */
  #takeBack(): void {
    this.#recalled.push(...this.#queue.recall());
  }

  #tellRecalled(): boolean {
    if (this.#recalled.length === 0) return false;
    this.core.onRecalled(this.#recalled.splice(0));
    return true;
  }

  /** All that end by themselves, or were stopped. */
  #endTasks(): boolean {
    let ended = false;
    // Those that are started by an end do not end in the same turn.
    const before = [...this.#running];
    for (const [tag, running] of before) {
      const outcome = running.stopped
        ? ({ kind: "signalled", signal: 15 } as const)
        : scriptedOutcome(running.command);
      if (outcome === null) continue;
      this.#end(tag, outcome, running.stopped);
      ended = true;
    }
    return ended;
  }

  #end(tag: number, outcome: Outcome, stopped: boolean): void {
    const running = this.#running.get(tag);
    if (running === undefined) return;
    this.#running.delete(tag);
    if (running.id !== null) this.#options.invariants.onEnd(this.name, running.id);
    this.#say(`${running.label} ${stopped ? "is stopped" : `ends: ${outcomeText(outcome)}`}`);
    // Its successor first, as launchers do.
    this.#queue.ended(tag);
    this.#fill();
    const nothing = { bytes: 0, snippet: new Uint8Array(0) };
    const end = {
      pid: 100 + tag,
      start: 0,
      end: 60,
      elapsed: running.command === "quick" ? 0.001 : 60,
      out: nothing,
      err: nothing,
      lastWords: new Uint8Array(0),
    };
    this.core.onTaskEnds([{ tag, outcome, stopped, ...end }]);
  }

  #say(what: string): void {
    this.#options.say(this.name, what);
  }
}

/**
 * `wait NAME` runs until it is told to end (null); all others end at once, like the commands that they look like, and tell that they took
 * long, but for `quick`.
 */
function scriptedOutcome(command: string): Outcome | null {
  const [word = "", value] = command.split(" ");
  switch (word) {
    case "true":
    case "quick":
      return { kind: "exited", code: 0 };
    case "exit":
      return { kind: "exited", code: Number(value) };
    case "kill":
      return { kind: "signalled", signal: -Number(value) };
    case "lost":
      return { kind: "lost" };
    case "wait":
      return null;
    default:
      throw new Error(`no script for ${JSON.stringify(command)}`);
  }
}
