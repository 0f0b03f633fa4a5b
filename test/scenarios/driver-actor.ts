import { statusRows } from "../../packages/driver/src/core/status-line/index.js";
import { type LastingStore } from "../../packages/driver/src/store/lasting-store.js";
import {
  type EngineId,
  type FencingToken,
  contextId,
  decodeEngineInfo,
  decodeReport,
  decodeRequest,
  engineId,
  needsKey,
} from "@taskmuster/kvs/protocol";
import { DriverCore, type PerEngineLines } from "../../packages/driver/src/core/driver-core.js";
import { queuedTask } from "../../packages/driver/src/core/outstanding.js";
import type { TaskPolicy } from "../../packages/driver/src/core/task-policy.js";
import type { Item } from "../../packages/driver/src/core/task-file/index.js";
import type { Invariants } from "./invariants.js";
import { type Say, numbered, text } from "./words.js";

export interface DriverActorOptions {
  readonly store: LastingStore;
  readonly token: FencingToken;
  readonly perEngine: PerEngineLines;
  readonly items: readonly Item[];
  readonly failFast: boolean;
  readonly maxLosses: number;
  readonly policy: TaskPolicy;
  readonly say: Say;
  readonly invariants: Invariants;
}

/** The driver's loops, one turn at a time: items in, orders and tasks out, reports in, rows, acknowledgements. */
export class DriverActor {
  readonly core: DriverCore;
  readonly #options: DriverActorOptions;
  readonly #items: Item[];
  #publishes = 0;
  #handled = 0;
  #clockMs = 0;
  #ended = false;

  constructor(options: DriverActorOptions) {
    this.#options = options;
    this.#items = [...options.items];
    const { failFast, maxLosses, policy, perEngine } = options;
    this.core = new DriverCore(
      { needs: needsKey({ cores: 1 }), failFast, maxLosses, policy, node: "login", pid: 1 },
      perEngine,
    );
    options.store.listen({
      onForgotten: () => this.core.onForgotten(),
      onReopened: () => this.#say("opens the run again"),
      onAnnounced: (_, claims) => this.core.onAnnounced(claims),
      onSettled: () => {
        const givenUp = this.core.onSettled();
        const what = givenUp.length === 0 ? "" : `, and gives up ${givenUp.map(numbered).join(" ")}`;
        this.#say(`has heard of everybody${what}`);
      },
      onLookDue: () => undefined,
      onSilent: () => undefined,
      onAnswer: () => undefined,
      tasksReportedBy: (engine) => this.core.tasksReportedBy(engine),
    });
  }

  /** Whether anything happened. */
  async turn(): Promise<boolean> {
    this.core.onClock(this.#clockMs);
    const asked = await this.#hear();
    await this.#options.store.snapshot();
    const fed = this.#feed();
    const talked = await this.#talk();
    const received = await this.#receive();
    const wrote = this.#write();
    return asked || fed || talked || received || wrote;
  }

  async lose(engine: EngineId): Promise<void> {
    const { store, token } = this.#options;
    const found = (await store.snapshot()).engines.find((each) => each.engine === engine);
    const slots = found === undefined ? Infinity : decodeEngineInfo(found.info).slots;
    const claims = await store.expel(token, engine, "lost");
    this.#say(`expels it; it had ${claims.length === 0 ? "nothing" : claims.map(numbered).join(" ")}`);
    this.core.onEngineLost(claims, 0, slots);
  }

  /** So much time passes. */
  pass(ms: number): void {
    this.core.onClock(this.#clockMs);
    this.#clockMs += ms;
  }

  /** Every engine is gone. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.core.onNobodyLeft();
    this.#say(`ends: ${this.core.reason?.kind ?? "no reason"}`);
  }

  async #hear(): Promise<boolean> {
    const { store, token } = this.#options;
    const beat = { state: new Uint8Array(), handled: this.#handled };
    const { from, requests } = await store.beat(token, beat);
    for (const bytes of requests) {
      const request = decodeRequest(bytes);
      if (request.kind === "dead") {
        await this.lose(engineId(request.engine));
        continue;
      }
      const { scope, name, wanted } = request;
      this.#say(`is asked to let ${name === "" ? "the run" : name} ${wanted}`);
      if (scope === "context") await store.order(token, { kind: scope, context: contextId(name) }, wanted);
      else if (scope === "engine") await store.order(token, { kind: scope, engine: engineId(name) }, wanted);
      else if (wanted === "drain") this.core.drain("a request");
      else this.core.stop({ kind: "stopped", signal: "a request" });
    }
    this.#handled = from + requests.length;
    return requests.length > 0;
  }

  #feed(): boolean {
    let fed = false;
    while (this.core.wantsItems) {
      fed = true;
      const item = this.#items.shift();
      if (item === undefined) this.core.onEndOfItems(0);
      else if (item.kind === "task") this.core.onTask(item);
      else if (item.kind === "barrier") this.core.onBarrier(item, 0);
      else if (item.kind === "error") this.core.onBadInput(`line ${item.line}`, 0);
    }
    return fed;
  }

  async #talk(): Promise<boolean> {
    const { store, token } = this.#options;
    let talked = false;
    const say = (what: string): void => {
      talked = true;
      this.#say(what);
    };
    const order = this.core.takeOrder();
    if (order !== null) {
      say(`orders ${order}`);
      await store.order(token, { kind: "run" }, order);
    }
    for (const { key, value } of this.core.takePosts()) {
      say(`posts ${key} = ${value}`);
      await store.post(token, key, value);
    }
    for (
      let publish = this.core.takePublish(100, 100_000);
      publish !== null;
      publish = this.core.takePublish(100, 100_000)
    ) {
      const where = publish.where === "front" ? " in front" : "";
      say(`publishes ${publish.tasks.map(numbered).join(" ")}${where}`);
      await store.publish(token, ++this.#publishes, publish.tasks, publish.where);
    }
    return talked;
  }

  async #receive(): Promise<boolean> {
    const { store, token, invariants } = this.#options;
    const { from, reports } = await store.receive(token, 100);
    if (reports.length === 0) return false;
    const decoded = reports.map(({ engine, number, body }) => ({
      engine,
      number,
      report: decodeReport(body),
    }));
    this.core.onReports(decoded, 0);
    this.#write();
    for (const withdrawal of this.core.takeWithdrawals()) {
      const withdrawn = await store.withdraw(token, queuedTask(withdrawal.task));
      this.#say(`withdraws ${numbered(withdrawal.task)}: ${withdrawn ? "nobody had it" : "too late"}`);
      this.core.onWithdrawn(withdrawal, withdrawn, 0);
      this.#write();
    }
    for (const { report } of decoded) invariants.onAcknowledge(report);
    this.#say(`acknowledges ${reports.length} report${reports.length === 1 ? "" : "s"}`);
    await store.acknowledge(token, from + reports.length);
    return true;
  }

  #write(): boolean {
    const rows = [...statusRows(this.core.takeRows())];
    for (const row of rows) {
      this.#options.invariants.onRow(row);
      this.#say(`writes row ${row.kind} ${row.id}, ${row.returnCode}: ${text(row.command)}`);
    }
    const exceptions = this.core.takeExceptions();
    const failures = exceptions.flatMap((each) => (each.kind === "retries" ? each.tasks : []));
    for (const failure of failures) {
      this.#options.invariants.onFailedAttempt(failure.id);
      this.#say(`notes that ${numbered(failure)} failed, ${failure.returnCode}`);
    }
    return rows.length + failures.length > 0;
  }

  #say(what: string): void {
    this.#options.say("driver", what);
  }
}
