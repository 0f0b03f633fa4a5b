import { KvsClosedError } from "@taskmuster/kvs";
import type { MemoryStore } from "@taskmuster/kvs/memory";
import { serverWasReplaced } from "../../../packages/kvs/src/lost.js";
import type { Happening } from "../time/agenda.js";
import { Line } from "./line.js";
import type { LinkParts } from "./link.js";

type Outcome = "rung" | "timeout";

interface Wait {
  readonly whose: string;
  readonly ms: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

interface Heard {
  readonly to: Wait;
  readonly outcome: Outcome;
}

/** Beyond the time that the server was told to wait: as in redis/doorbell.ts. */
const graceMs = 3_000;

/** What redis/doorbell.ts is to Redis, for one wait at a time: a connection of its own, thrown away when the server breaks its promise. */
export class BellLine {
  readonly #parts: Omit<LinkParts, "onResend">;
  readonly #life: number;
  #store: MemoryStore;
  #line: Line<Wait, Heard>;
  #wait: Wait | null = null;
  #guard: Happening | null = null;
  #gone = false;

  constructor(parts: Omit<LinkParts, "onResend">, life: number) {
    this.#parts = parts;
    this.#life = life;
    this.#store = parts.server.client(parts.run);
    this.#line = this.#newLine();
  }

  get isFree(): boolean {
    return this.#wait === null && !this.#gone;
  }

  get isWaiting(): boolean {
    return this.#wait !== null;
  }

  wait(whose: string, ms: number): Promise<Outcome> {
    const { clockwork, process } = this.#parts;
    return new Promise((resolve, reject) => {
      this.#wait = { whose, ms, resolve, reject };
      this.#line.send(this.#wait);
      const breach = (): void => {
        // The server still waits for nobody, until it notices.
        this.#gone = true;
        this.#line.abandon();
        this.#settle("timeout");
      };
      this.#guard = clockwork.after(ms + graceMs, process, breach, true);
    });
  }

  /** The client notices, and perhaps the server, too; else it goes on waiting for nobody. */
  break(serverLives: boolean): void {
    if (!this.#line.isOpen) return;
    const { clockwork, process, route, random, server } = this.#parts;
    this.#line.break(serverLives);
    if (random.oneIn(2)) void this.#store.disconnect();
    const dial = (): void => {
      if (this.#gone || this.#wait === null) return;
      const again = (): void => void clockwork.after(random.int(1500), process, dial);
      if (route.isCut) return route.whenMended(again);
      if (server.door.isCut) return server.door.whenMended(again);
      if (this.#parts.server.life !== this.#life) return this.#fail(serverWasReplaced());
      this.#store = this.#parts.server.client(this.#parts.run);
      this.#line = this.#newLine();
      // The ring may have gone down with the connection.
      this.#settle("rung");
    };
    clockwork.after(4 + 2 * route.latency(), process, dial);
  }

  close(): void {
    this.kill();
    this.#fail(new KvsClosedError());
  }

  /** Its client is dead: nobody is told. */
  kill(): void {
    this.#gone = true;
    this.#line.abandon();
    void this.#store.disconnect();
  }

  #newLine(): Line<Wait, Heard> {
    const { server, run } = this.#parts;
    const store = this.#store;
    const line: Line<Wait, Heard> = new Line({
      ...this.#parts,
      client: this.#parts.process,
      onRequest: (to: Wait) =>
        server.whenOpen(() => {
          server.ring(run, store, to.whose, to.ms).then(
            (outcome) => line.answer({ to, outcome }),
            () => undefined,
          );
        }),
      onAnswer: ({ to, outcome }) => {
        if (to === this.#wait) this.#settle(outcome);
      },
    });
    return line;
  }

  #settle(outcome: Outcome): void {
    const wait = this.#wait;
    this.#wait = null;
    if (this.#guard !== null) this.#guard.cancelled = true;
    wait?.resolve(outcome);
  }

  #fail(error: Error): void {
    const wait = this.#wait;
    this.#wait = null;
    if (this.#guard !== null) this.#guard.cancelled = true;
    wait?.reject(error);
  }
}
