import { MalformedMessageError } from "@taskmuster/kvs";
import { type ReceivedRequests, type Request, decodeRequest } from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";

/** What can be asked of a driver. */
export interface RequestActions {
  order(request: Extract<Request, { kind: "order" }>): Promise<void>;
  dead(request: Extract<Request, { kind: "dead" }>): Promise<void>;
}

/** Takes what others have asked, each once although it may be received again. */
export class Requests {
  readonly #actions: RequestActions;
  readonly #log: Logger;
  #handled = 0;

  constructor(actions: RequestActions, log: Logger) {
    this.#actions = actions;
    this.#log = log;
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
        this.#log.info({ ...request }, "asked");
        if (request.kind === "order") await this.#actions.order(request);
        else await this.#actions.dead(request);
      }
      this.#handled = received.from + index + 1;
    }
  }

  #decoded(bytes: Uint8Array): Request | null {
    try {
      return decodeRequest(bytes);
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      this.#log.error({ err: error }, "a request was refused");
      return null;
    }
  }
}
