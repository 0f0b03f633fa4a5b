import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type Endpoint, type KvsAddress, parseEndpoint } from "../address.js";
import { KvsClosedError, KvsError, type KvsLostError } from "../errors.js";
import { serverWasReplaced } from "../lost.js";
import { isBreak } from "./break.js";
import { firstSession } from "./race.js";
import { refusedError } from "./refusal.js";
import { type Role, type Session, isReply } from "./session.js";

/** `down` and `up` come once per outage, in turns, beginning with `down`; `lost`, instead of `up`, when it is another life of the server. */
export type ConnectionEvent =
  { readonly kind: "down"; readonly reason: string } | { readonly kind: "up" } | { readonly kind: "lost" };

export interface ConnectionOptions {
  readonly address: KvsAddress;
  readonly role: Role;
  /** Keep trying for so long at the start: the server is just being started. 0: fail at once. */
  readonly waitMs?: number;
  /** The server life that this connection must find; without it, the one found first. */
  readonly serverRunId?: string;
  /** Used for blocking requests, each of which has its own deadline. */
  readonly blocking?: boolean;
  readonly onEvent?: ((event: ConnectionEvent) => void) | undefined;
}

const firstDelayMs = 4;
const longestDelayMs = 1_000;

/**
 * A connection that comes back. When it breaks, a new session is started, for ever, until `close`; a request that was
 * under way is sent again, so each must be idempotent. Nothing is ever sent to another life of the server:
 * then every request throws `KvsLostError`.
 *
 *   up -> down (broken) -> up (same server life) | lost (another one)      any -> closed
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #endpoints: Endpoint[];
  readonly #closing = new AbortController();
  #session: Session | undefined;
  #next: Promise<Session> | undefined;
  #serverRunId: string | undefined;
  #lost: KvsLostError | undefined;
  #wasUp = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#endpoints = options.address.addresses.map(parseEndpoint);
    this.#serverRunId = options.serverRunId;
  }

  /** Starts the first session. Throws `KvsError` (refused), `KvsLostError` (another life than asked for). */
  async open(): Promise<void> {
    this.#adopt(await this.#dial(this.#options.waitMs ?? 0));
  }

  /** Of the server life that this connection belongs to. */
  get serverRunId(): string {
    if (this.#serverRunId === undefined) throw new KvsError("the connection has not been opened");
    return this.#serverRunId;
  }

  /** As it was given, with what worked last in front. */
  get address(): KvsAddress {
    return { ...this.#options.address, addresses: this.#endpoints.map(({ text }) => text) };
  }

  /**
   * Sends a request, and again after each break until there is an answer. An error that the server answered with is thrown
   * as it is; otherwise `KvsLostError` or `KvsClosedError`.
   */
  async request<Answer>(send: (session: Session) => Promise<Answer>): Promise<Answer> {
    for (;;) {
      const session = this.#session ?? (await this.#again());
      try {
        return await send(session);
      } catch (error) {
        if (this.#closing.signal.aborted) throw new KvsClosedError();
        if (isReply(error) && !/^(LOADING|READONLY|MASTERDOWN|UNBLOCKED)/.test(error.message)) throw error;
        if (!isReply(error) && !isBreak(error)) throw error;
        this.#drop(session, error);
      }
    }
  }

  /** Throws the session away, with everything under way on it; the next request starts a new one. */
  restart(reason: string): void {
    if (this.#session !== undefined) this.#drop(this.#session, new Error(reason));
  }

  /** Requests under way reject with `KvsClosedError`. Twice is fine. */
  async close(): Promise<void> {
    this.#closing.abort();
    const session = this.#session;
    this.#session = undefined;
    await this.#next?.catch(() => undefined);
    if (session === undefined) return;
    const ended = new Promise<void>((resolve) => {
      if (session.client.status === "end") resolve();
      else session.client.once("end", resolve);
    });
    session.client.disconnect();
    await ended;
  }

  #adopt(session: Session): void {
    this.#session = session;
    this.#wasUp = true;
    const ended = () => {
      this.#drop(session, new Error("the connection broke"));
    };
    if (session.client.status === "end") ended();
    else session.client.once("end", ended);
  }

  #drop(session: Session, error: unknown): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    session.client.disconnect();
    if (this.#closing.signal.aborted) return;
    this.#options.onEvent?.({ kind: "down", reason: error instanceof Error ? error.message : String(error) });
    // Even if nobody asks now: who waits for a bell wants to know that the server is another one.
    this.#again().catch(() => undefined);
  }

  /** The next session; all who wait for one wait for the same. */
  #again(): Promise<Session> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    this.#next ??= this.#dial(Infinity)
      .then((session) => {
        this.#adopt(session);
        this.#options.onEvent?.({ kind: "up" });
        return session;
      })
      .finally(() => {
        this.#next = undefined;
      });
    return this.#next;
  }

  async #dial(waitMs: number): Promise<Session> {
    const { signal } = this.#closing;
    const started = performance.now();
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 1.5, longestDelayMs)) {
      if (signal.aborted) throw new KvsClosedError();
      const { address, role, blocking = false } = this.#options;
      const result = await firstSession(this.#endpoints, address, { role, blocking, signal });
      if (signal.aborted) {
        if (result.kind === "won") result.session.client.disconnect();
        throw new KvsClosedError();
      }
      if (result.kind === "won") {
        this.#prefer(result.endpoint);
        return this.#sameLife(result.session);
      }
      const leftMs = waitMs - (performance.now() - started);
      const hopeless = result.refusals.every(({ passing }) => !passing) && waitMs !== Infinity;
      if (hopeless || leftMs <= 0) throw refusedError(result.refusals, address, hostname());
      // While a server starts every millisecond counts; later many clients must not come back at the same moment.
      const spreadMs = delayMs < 50 ? delayMs : delayMs * (0.5 + Math.random() / 2);
      await sleep(Math.min(spreadMs, leftMs), undefined, { signal }).catch(() => undefined);
    }
  }

  #prefer(endpoint: Endpoint): void {
    this.#endpoints.splice(this.#endpoints.indexOf(endpoint), 1);
    this.#endpoints.unshift(endpoint);
  }

  #sameLife(session: Session): Session {
    this.#serverRunId ??= session.serverRunId;
    if (session.serverRunId === this.#serverRunId) return session;
    session.client.disconnect();
    this.#lost = serverWasReplaced();
    if (this.#wasUp) this.#options.onEvent?.({ kind: "lost" });
    throw this.#lost;
  }
}
