import { MalformedMessageError } from "@taskmuster/kvs";
import { type ReceivedRequests, type Request, decodeRequest } from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import type { Refusals } from "./refusals.js";

/** What can be asked of a driver. */
export interface RequestActions {
  order(request: Extract<Request, { kind: "order" }>): Promise<void>;
  dead(request: Extract<Request, { kind: "dead" }>): Promise<void>;
}

/** Takes what others have asked, each once although it may be received again. */
export class Requests {
  readonly #actions: RequestActions;
  readonly #log: Logger;
  readonly #refusals: Refusals;
  readonly #told = new Set<string>();
  #handled = 0;

  constructor(actions: RequestActions, log: Logger, refusals: Refusals) {
    this.#actions = actions;
    this.#log = log;
    this.#refusals = refusals;
  }

  /** All before this position have been dealt with. */
  get handled(): number {
    return this.#handled;
  }

  async take(received: ReceivedRequests): Promise<void> {
    for (const [index, bytes] of received.requests.entries()) {
      if (received.from + index < this.#handled) continue;
      const request = this.#decoded(bytes);
      if (request !== null) {
        this.#tell(request);
        if (request.kind === "order") await this.#actions.order(request);
        else await this.#actions.dead(request);
      }
      this.#handled = received.from + index + 1;
    }
  }

  /** Once: somebody may ask for the same thing for ever. */
  #tell(request: Request): void {
    const text = JSON.stringify(request);
    if (this.#told.has(text) || this.#told.size >= mostTold) return;
    this.#told.add(text);
    this.#log.info({ ...request }, "asked");
  }

  #decoded(bytes: Uint8Array): Request | null {
    try {
      return decodeRequest(bytes);
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      this.#refusals.refuse("request", "somebody", error.message);
      return null;
    }
  }
}

/** More than people ask for. */
const mostTold = 1_000;
