import { KvsClosedError, type KvsStore } from "@taskmuster/kvs";
import { MemoryStore } from "@taskmuster/kvs/memory";
import type { RunId } from "@taskmuster/kvs/protocol";
import { serverWasReplaced } from "../../../packages/kvs/src/lost.js";
import type { Random } from "../../fuzz/random.js";
import type { Clockwork } from "../time/clockwork.js";
import type { SimProcess } from "../time/process.js";
import { BellLine } from "./bell-line.js";
import { Line } from "./line.js";
import type { Route } from "./route.js";
import type { StoreServer, Verb } from "./store-server.js";

export interface Request {
  readonly verb: Verb;
  args: readonly unknown[];
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Answer {
  readonly to: Request;
  readonly settle: () => void;
}

export interface LinkParts {
  readonly clockwork: Clockwork;
  readonly random: Random;
  readonly server: StoreServer;
  readonly route: Route;
  readonly process: SimProcess;
  readonly run: RunId;
  /** What is sent again after a break; planted bugs change it. */
  readonly onResend?: ((request: Request) => void) | undefined;
  /** It has found another life of the server. */
  readonly onLost?: (() => void) | undefined;
}

/** No answer for so long, with requests under way: as in redis/session.ts. */
const silenceMs = 20_000;

/**
 * What redis/connection.ts is to Redis: requests in a pipeline, sent again after each break until there is an answer, but
 * never to another life of the server.
 */
export class Link {
  readonly #parts: LinkParts;
  readonly #life: number;
  #line: Line<Request, Answer> | null = null;
  #pending: Request[] = [];
  #lost: Error | null = null;
  #closed = false;
  #dialling = false;
  #heardAt = 0;
  #watching = false;
  #resets = false;
  readonly #bells: BellLine[] = [];

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#life = parts.server.life;
    this.#line = this.#newLine();
    parts.server.clients.add(this);
    parts.process.onDeath(() => this.#onDeath());
  }

  /** As a `KvsStore`: every verb that there is, whatever it is called. */
  get store(): KvsStore {
    const verbs = verbsOf().map((verb) => [verb, (...args: readonly unknown[]) => this.#request(verb, args)]);
    return {
      ...Object.fromEntries(verbs),
      waitForBell: (whose: string, ms: number) => this.#waitForBell(whose, ms),
      disconnect: () => this.#disconnect(),
    } as KvsStore;
  }

  /** The connection is reset, as by a firewall: when something is under way, where it hurts. */
  reset(): void {
    const bell = this.#bells.find((each) => each.isWaiting);
    if (bell !== undefined && this.#parts.random.oneIn(3)) return bell.break(true);
    this.#resets = true;
  }

  /** The server's process has ended, and with it all connections; who is cut off learns it later. */
  onServerGone(): void {
    for (const bell of this.#bells) if (bell.isWaiting) bell.break(false);
    this.#break(false);
  }

  #break(serverLives: boolean): void {
    const { clockwork, process, route } = this.#parts;
    const line = this.#line;
    if (line === null || !line.isOpen) return;
    line.break(serverLives);
    const notice = (): void => void clockwork.after(1, process, () => this.#onBroken(line));
    if (route.isCut) route.whenMended(notice);
    else notice();
  }

  #request(verb: Verb, args: readonly unknown[]): Promise<unknown> {
    if (this.#closed) return Promise.reject(new KvsClosedError());
    if (this.#lost !== null) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      const request = { verb, args, resolve, reject };
      this.#pending.push(request);
      if (this.#pending.length === 1) this.#heardAt = this.#parts.clockwork.now;
      this.#line?.send(request);
      this.#watch();
      if (this.#resets && verb !== "renew") this.#resetSoon();
    });
  }

  #resetSoon(): void {
    this.#resets = false;
    const { clockwork, random, route } = this.#parts;
    clockwork.after((route.latency() * random.int(300)) / 100, null, () => this.#break(true));
  }

  #newLine(): Line<Request, Answer> {
    const { server, run } = this.#parts;
    const store = server.client(run);
    const line: Line<Request, Answer> = new Line({
      ...this.#parts,
      client: this.#parts.process,
      onRequest: (to) =>
        server.whenOpen(() => {
          server.do(run, store, to.verb, to.args).then(
            (answer) => line.answer({ to, settle: () => to.resolve(answer) }),
            (error: unknown) => line.answer({ to, settle: () => to.reject(error) }),
          );
        }),
      onAnswer: ({ to, settle }) => {
        this.#heardAt = this.#parts.clockwork.now;
        this.#pending = this.#pending.filter((each) => each !== to);
        settle();
      },
    });
    return line;
  }

  /** Nothing heard for too long: the line counts as dead. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    const { clockwork, process } = this.#parts;
    const look = (): void => {
      const silent = clockwork.now - this.#heardAt;
      const line = this.#line;
      if (this.#closed || this.#pending.length === 0 || line === null) {
        this.#watching = false;
      } else if (silent < silenceMs) {
        clockwork.after(Math.max(1, silenceMs - silent), process, look, true);
      } else {
        this.#watching = false;
        line.abandon();
        this.#onBroken(line);
      }
    };
    clockwork.after(silenceMs, process, look, true);
  }

  #onBroken(line: Line<Request, Answer>): void {
    if (this.#line !== line) return;
    this.#line = null;
    if (!this.#closed) this.#dial();
  }

  #dial(): void {
    if (this.#dialling) return;
    this.#dialling = true;
    const { clockwork, random, route, process, server } = this.#parts;
    const attempt = (): void => {
      // It tries about once a second.
      const again = (): void => void clockwork.after(random.int(1500), process, attempt);
      if (route.isCut) return route.whenMended(again);
      if (server.door.isCut) return server.door.whenMended(again);
      this.#dialling = false;
      this.#onSession();
    };
    clockwork.after(4 + 2 * route.latency(), process, attempt);
  }

  #onSession(): void {
    if (this.#closed) return;
    if (this.#parts.server.life !== this.#life) {
      this.#lost = serverWasReplaced();
      for (const { reject } of this.#pending.splice(0)) reject(this.#lost);
      this.#parts.onLost?.();
      return;
    }
    this.#line = this.#newLine();
    this.#heardAt = this.#parts.clockwork.now;
    for (const request of this.#pending) {
      this.#parts.onResend?.(request);
      this.#line.send(request);
    }
    if (this.#pending.length > 0) this.#watch();
  }

  async #waitForBell(whose: string, ms: number): Promise<"rung" | "timeout"> {
    if (this.#closed) throw new KvsClosedError();
    if (this.#lost !== null) throw this.#lost;
    let bell = this.#bells.find((each) => each.isFree);
    if (bell === undefined) {
      bell = new BellLine(this.#parts, this.#life);
      this.#bells.push(bell);
    }
    const outcome = await bell.wait(whose, ms);
    if (!bell.isFree) this.#bells.splice(this.#bells.indexOf(bell), 1);
    return outcome;
  }

  async #disconnect(): Promise<void> {
    this.#closed = true;
    this.#parts.server.clients.delete(this);
    for (const { reject } of this.#pending.splice(0)) reject(new KvsClosedError());
    this.#line?.abandon();
    for (const bell of this.#bells) bell.close();
  }

  #onDeath(): void {
    this.#closed = true;
    this.#parts.server.clients.delete(this);
    this.#line?.abandon();
    for (const bell of this.#bells) bell.kill();
  }
}

let verbs: readonly Verb[] | null = null;

function verbsOf(): readonly Verb[] {
  const others = new Set(["constructor", "waitForBell", "disconnect"]);
  verbs ??= Object.getOwnPropertyNames(MemoryStore.prototype).filter((name) => !others.has(name)) as Verb[];
  return verbs;
}
