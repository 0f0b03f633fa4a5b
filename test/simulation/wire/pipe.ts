import type { Clockwork } from "../time/clockwork.js";
import type { Happening } from "../time/agenda.js";
import type { SimProcess } from "../time/process.js";
import type { Route } from "./route.js";

interface Letter<Message> {
  readonly message: Message;
  readonly dueAt: number;
}

/** One direction of a connection: messages arrive in order, or not at all. */
export class Pipe<Message> {
  readonly #clockwork: Clockwork;
  readonly #route: Route;
  readonly #to: SimProcess | null;
  readonly #onMessage: (message: Message) => void;
  readonly #letters: Letter<Message>[] = [];
  #lastDue = 0;
  #next: Happening | null = null;
  #broken = false;

  /** `to`: whose step an arrival is; null: the world's. */
  constructor(
    clockwork: Clockwork,
    route: Route,
    to: SimProcess | null,
    onMessage: (message: Message) => void,
  ) {
    this.#clockwork = clockwork;
    this.#route = route;
    this.#to = to;
    this.#onMessage = onMessage;
  }

  push(message: Message): void {
    if (this.#broken) return;
    this.#lastDue = Math.max(this.#lastDue, this.#clockwork.now + this.#route.latency());
    this.#letters.push({ message, dueAt: this.#lastDue });
    if (this.#letters.length === 1) this.#wait();
  }

  /** The first `arrive` of what is under way arrive at once, the others never. */
  break(arrive = 0): void {
    if (this.#broken) return;
    this.#broken = true;
    if (this.#next !== null) this.#next.cancelled = true;
    for (const { message } of this.#letters.splice(0).slice(0, arrive)) this.#arrive(message);
  }

  get underWay(): number {
    return this.#letters.length;
  }

  #wait(): void {
    const [first] = this.#letters;
    if (first === undefined || this.#broken) return;
    this.#next = this.#clockwork.after(first.dueAt - this.#clockwork.now, null, () => this.#onDue());
  }

  #onDue(): void {
    if (this.#broken) return;
    if (this.#route.isCut) return this.#route.whenMended(() => this.#onDue());
    const letter = this.#letters.shift();
    if (letter !== undefined) this.#arrive(letter.message);
    this.#wait();
  }

  #arrive(message: Message): void {
    if (this.#to === null) this.#onMessage(message);
    else this.#clockwork.deliver(this.#to, () => this.#onMessage(message));
  }
}
