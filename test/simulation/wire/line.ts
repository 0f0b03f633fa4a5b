import type { Clockwork } from "../time/clockwork.js";
import type { SimProcess } from "../time/process.js";
import type { Random } from "../../fuzz/random.js";
import { Pipe } from "./pipe.js";
import type { Route } from "./route.js";

/**
 * One connection to the server until it breaks: what `Session` is to Redis. Requests arrive in order, and so do their answers. When it
 * breaks, each request that was under way may be done or not; when the client alone gives it up, some arrive even later than
 * what is sent on its successor.
 */
export class Line<Request, Answer> {
  readonly #there: Pipe<Request>;
  readonly #back: Pipe<Answer>;
  readonly #random: Random;
  readonly #clockwork: Clockwork;
  readonly #onRequest: (request: Request) => void;
  /** What the client sent before it gave the line up, and the server may still get. */
  readonly #route: Route;
  readonly #unanswered: Request[] = [];
  #open = true;

  constructor(parts: {
    readonly clockwork: Clockwork;
    readonly random: Random;
    readonly route: Route;
    readonly client: SimProcess;
    /** At the server. */
    readonly onRequest: (request: Request) => void;
    readonly onAnswer: (answer: Answer) => void;
  }) {
    const { clockwork, route, client } = parts;
    this.#clockwork = clockwork;
    this.#random = parts.random;
    this.#route = route;
    this.#onRequest = parts.onRequest;
    this.#there = new Pipe(clockwork, route, null, (request) => {
      this.#unanswered.shift();
      parts.onRequest(request);
    });
    this.#back = new Pipe(clockwork, route, client, parts.onAnswer);
  }

  get isOpen(): boolean {
    return this.#open;
  }

  send(request: Request): void {
    this.#unanswered.push(request);
    this.#there.push(request);
  }

  answer(answer: Answer): void {
    this.#back.push(answer);
  }

  /** Both ends lose it; some of what was sent has been taken in before, if somebody is there who takes it in. */
  break(serverLives: boolean): void {
    if (!this.#open) return;
    this.#open = false;
    this.#back.break();
    this.#there.break(serverLives ? this.#random.int(this.#there.underWay + 1) : 0);
  }

  /** The client gives it up. The network may deliver late what it has been given. */
  abandon(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#back.break();
    const late = this.#unanswered.slice(0, this.#random.int(this.#unanswered.length + 1));
    this.#there.break();
    const arrive = (): void => {
      for (const request of late.splice(0)) this.#onRequest(request);
    };
    const later = (): void => void this.#clockwork.after(this.#random.int(3000), null, arrive);
    if (late.length === 0) return;
    if (this.#route.isCut) this.#route.whenMended(later);
    else later();
  }
}
