import { setTimeout as delay } from "node:timers/promises";
import { KvsLostError } from "@taskmuster/kvs";
import type { Keeper, PrivateServer, RunningServer, ServerExit } from "@taskmuster/kvs/server";
import type { Logger } from "pino";
import { howServerEnded } from "../run-store.js";

export interface LastingServerOptions {
  /** The same server once more: same addresses, same secret, empty. Throws `KvsError`. */
  readonly restart: () => PrivateServer;
  /** Sees to it that it does not outlive us for long; null: nobody can. */
  readonly keep: (server: PrivateServer) => Keeper | null;
  readonly log: Logger;
  /** Throws `FencedError` when another driver has the run: it has the server, too. */
  readonly checkOurs: () => void;
  readonly onNotice: (message: string) => void;
  /** It will not be there again, or is none of our business any more. */
  readonly onGivenUp: (error: Error) => void;
}

/** A private server that is started again when it dies, unless it dies again and again. */
export class LastingServer {
  readonly #options: LastingServerOptions;
  readonly #deaths: number[] = [];
  #server: RunningServer;
  #keeper: Keeper | null;
  #stopping = false;

  /** `server` takes connections; `keeper` is its own. */
  constructor(server: RunningServer, keeper: Keeper | null, options: LastingServerOptions) {
    this.#options = options;
    this.#server = server;
    this.#keeper = keeper;
    this.#watch(server);
  }

  get pid(): number | undefined {
    return this.#server.pid;
  }

  /** Twice is fine. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#server.stop();
    await this.#keeper?.done();
  }

  #watch(server: RunningServer): void {
    void server.exited.then((exit) => this.#onDeath(exit));
  }

  async #onDeath(exit: ServerExit): Promise<void> {
    if (this.#stopping) return;
    const { log, onNotice } = this.#options;
    const how = howServerEnded(exit);
    const now = performance.now();
    this.#deaths.push(now);
    while (now - (this.#deaths[0] ?? now) > patienceMs) this.#deaths.shift();
    log.error({ how, lastLines: exit.log, deaths: this.#deaths.length }, "the private server died");
    if (this.#isAnothers()) return;
    if (this.#deaths.length > mostDeaths)
      return this.#giveUp(`it died ${this.#deaths.length} times within a minute, now of ${how}`);
    onNotice(`the private Redis server died (${how}) and is started again; what runs goes on`);
    // The first time at once: what kills it is mostly over then.
    if (this.#deaths.length > 1) await delay(restartMs * (this.#deaths.length - 1));
    if (!this.#stopping && !this.#isAnothers()) this.#restart();
  }

  #isAnothers(): boolean {
    try {
      this.#options.checkOurs();
      return false;
    } catch (error) {
      this.#options.onGivenUp(error instanceof Error ? error : new Error(String(error)));
      return true;
    }
  }

  #restart(): void {
    try {
      const server = this.#options.restart();
      this.#server = server;
      const before = this.#keeper;
      this.#keeper = this.#options.keep(server);
      // Only now: at no moment is there nobody who would end it.
      void before?.done();
      this.#watch(server);
    } catch (error) {
      this.#giveUp(error instanceof Error ? error.message : String(error));
    }
  }

  #giveUp(why: string): void {
    this.#options.onGivenUp(new KvsLostError(`the private Redis server is lost: ${why}`, "unreachable"));
  }
}

const patienceMs = 60_000;
const mostDeaths = 5;
const restartMs = 200;
