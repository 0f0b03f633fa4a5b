import { FencedError, KvsClosedError } from "../errors.js";
import { runIsOver, serverWasReplaced } from "../lost.js";
import type { EngineId, RunId } from "../protocol/index.js";
import type {
  AnnounceAnswer,
  AnnounceRequest,
  Beat,
  ClaimedTask,
  EnrolAnswer,
  EnrolRequest,
  ExchangeAnswer,
  ExchangeRequest,
  FencingToken,
  Greeting,
  JoinAnswer,
  JoinRequest,
  KvsStore,
  QueuedTask,
  ReceivedReports,
  ReceivedRequests,
  RemainingContext,
  RemainingEngine,
  RenewAnswer,
  RenewRequest,
  Reopening,
  Scope,
  Snapshot,
  Takeover,
  Wanted,
} from "../store.js";
import { type BellOutcome, type StartTimer, realTimer } from "./bells.js";
import * as context from "./context-verbs.js";
import * as driver from "./driver-verbs.js";
import * as engine from "./engine-verbs.js";
import * as returning from "./returning.js";
import { type Run, newRun } from "./run.js";
import type { MemoryServer } from "./server.js";
import { claimsOf, snapshotOf } from "./snapshot.js";

const fresh: Reopening = { above: 0, nonce: null, ranks: 0 };

/**
 * One client of a `MemoryServer`. Verbs do their work before they return their promise, and use no clock; only
 * `waitForBell` has a timer, which can be a simulation's.
 */
export class MemoryStore implements KvsStore {
  readonly #server: MemoryServer;
  readonly #runId: RunId;
  readonly #life: number;
  readonly #startTimer: StartTimer;
  #closed = false;

  constructor(server: MemoryServer, runId: RunId, startTimer: StartTimer = realTimer) {
    this.#server = server;
    this.#runId = runId;
    this.#life = server.life;
    this.#startTimer = startTimer;
  }

  async open(info: Uint8Array, reopening: Reopening = fresh): Promise<FencingToken> {
    const { runs, life } = this.#connected();
    const old = runs.get(this.#runId);
    const { above, nonce, ranks } = reopening;
    if (nonce !== null && old !== undefined) {
      if (old.epoch === life && old.opener === nonce) return old.token;
      // Another driver was faster; or the data is old, but not as old as this driver.
      if (old.epoch === life || old.token > above) throw new FencedError();
    }
    const run = old !== undefined && old.epoch === life ? old : newRun(life, ranks);
    runs.set(this.#runId, run);
    run.token = Math.max(old?.token ?? 0, above) + 1;
    run.opener = nonce;
    run.info = info;
    run.published = 0;
    run.withdrawn = [];
    return run.token;
  }

  async restore(
    token: FencingToken,
    contexts: readonly RemainingContext[],
    engines: readonly RemainingEngine[],
  ): Promise<void> {
    this.#asDriver(token, (run) => {
      returning.restore(run, contexts, engines);
    });
  }

  async greet(token: FencingToken, member: EngineId): Promise<Greeting | null> {
    return this.#asDriver(token, (run) => returning.greet(run, member));
  }

  async takeOver(): Promise<Takeover | null> {
    return this.#connected().runs.has(this.#runId) ? this.#on((run) => driver.takeOver(run)) : null;
  }

  async publish(
    token: FencingToken,
    number: number,
    tasks: readonly QueuedTask[],
    where: "back" | "front" = "back",
  ): Promise<void> {
    this.#asDriver(token, (run) => {
      driver.publish(run, number, tasks, where);
    });
  }

  async withdraw(token: FencingToken, task: QueuedTask): Promise<boolean> {
    return this.#asDriver(token, (run) => driver.withdraw(run, task));
  }

  async receive(token: FencingToken, max: number, from = 0): Promise<ReceivedReports> {
    return this.#asDriver(token, (run) => driver.receive(run, max, from));
  }

  async acknowledge(token: FencingToken, upTo: number): Promise<void> {
    this.#asDriver(token, (run) => {
      driver.acknowledge(run, upTo);
    });
  }

  async order(token: FencingToken, scope: Scope, wanted: Wanted): Promise<void> {
    this.#asDriver(token, (run) => {
      driver.order(run, scope, wanted);
    });
  }

  async expel(token: FencingToken, member: EngineId, why: string): Promise<readonly ClaimedTask[]> {
    return this.#asDriver(token, (run) => driver.expel(run, member, why));
  }

  async expire(
    token: FencingToken,
    member: EngineId,
    why: string,
    renewal: number,
  ): Promise<readonly ClaimedTask[] | null> {
    return this.#asDriver(token, (run) => driver.expire(run, member, why, renewal));
  }

  async beat(token: FencingToken, beat: Beat): Promise<ReceivedRequests> {
    return this.#asDriver(token, (run) => driver.beat(run, beat));
  }

  async post(token: FencingToken, key: string, value: string): Promise<void> {
    this.#asDriver(token, (run) => {
      driver.post(run, key, value);
    });
  }

  async close(token: FencingToken): Promise<void> {
    const { runs, bells, life } = this.#connected();
    const run = runs.get(this.#runId);
    if (run === undefined) return;
    if (run.epoch !== life) throw serverWasReplaced();
    if (run.token !== token) throw new FencedError();
    runs.delete(this.#runId);
    bells.clear(this.#bell(""));
  }

  async enrol(request: EnrolRequest): Promise<EnrolAnswer> {
    if (this.#run() === undefined) return { kind: "noRun" };
    return this.#on((run) => context.enrol(run, request));
  }

  async ask(request: Uint8Array): Promise<boolean> {
    return this.#run() !== undefined && this.#on((run) => context.ask(run, request));
  }

  async join(request: JoinRequest): Promise<JoinAnswer> {
    if (this.#run() === undefined) return { kind: "noRun" };
    return this.#on((run) => engine.join(run, request));
  }

  async announce(request: AnnounceRequest): Promise<AnnounceAnswer> {
    if (this.#run() === undefined) return { kind: "noRun" };
    return this.#on((run) => returning.announce(run, request));
  }

  async exchange(request: ExchangeRequest): Promise<ExchangeAnswer> {
    return this.#on((run) => engine.exchange(run, request));
  }

  async renew(request: RenewRequest): Promise<RenewAnswer> {
    return this.#on((run) => engine.renew(run, request));
  }

  async leave(member: EngineId, why: string): Promise<boolean> {
    return this.#on((run) => engine.leave(run, member, why));
  }

  async claimsOf(member: EngineId, max: number): Promise<readonly QueuedTask[]> {
    return claimsOf(this.#run(), member, max);
  }

  async snapshot(): Promise<Snapshot> {
    return snapshotOf(this.#run());
  }

  async waitForBell(whose: "driver" | EngineId, timeoutMs: number): Promise<BellOutcome> {
    return this.#connected().bells.wait(this.#bell(whose), this, timeoutMs, this.#startTimer);
  }

  async disconnect(): Promise<void> {
    this.#closed = true;
    this.#server.bells.close(this);
  }

  #bell(whose: string): string {
    return `${this.#runId}:${whose}`;
  }

  #connected(): MemoryServer {
    if (this.#closed) throw new KvsClosedError();
    if (this.#server.life !== this.#life) throw serverWasReplaced();
    return this.#server;
  }

  /** One that was opened in an earlier life of the server, of which it has a snapshot, is as good as none. */
  #run(): Run | undefined {
    const { runs, life } = this.#connected();
    const run = runs.get(this.#runId);
    return run?.epoch === life ? run : undefined;
  }

  /** Does one verb, and then rings the bells that it rang. */
  #on<Answer>(verb: (run: Run) => Answer): Answer {
    const { runs, bells, life } = this.#connected();
    const run = runs.get(this.#runId);
    if (run === undefined) throw runIsOver();
    if (run.epoch !== life) throw serverWasReplaced();
    const answer = verb(run);
    for (const whose of run.chimes) bells.ring(this.#bell(whose));
    run.chimes.clear();
    for (const whose of run.forgotten) bells.takeDown(this.#bell(whose));
    run.forgotten.clear();
    return answer;
  }

  #asDriver<Answer>(token: FencingToken, verb: (run: Run) => Answer): Answer {
    return this.#on((run) => {
      if (run.token !== token) throw new FencedError();
      return verb(run);
    });
  }
}
