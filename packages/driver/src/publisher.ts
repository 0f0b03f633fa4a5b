import { setTimeout as delay } from "node:timers/promises";
import { KvsFullError } from "@taskmuster/kvs";
import type { FencingToken } from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import type { DriverCore } from "./core/driver-core.js";
import type { DriverStore } from "./store/driver-store.js";

interface PublisherParts {
  readonly store: Pick<DriverStore, "publish">;
  readonly token: FencingToken;
  readonly core: DriverCore;
  readonly log: Logger;
  /** For people. */
  readonly onNotice: (message: string) => void;
}

const publishMost = 1000;
const publishBytes = 1024 * 1024;
/** Between tries, while the store is full. */
const againMs = 500;

/** Brings tasks to the store, one piece at a time. A store that is full is said once, and waited for: it is not the run's end. */
export class Publisher {
  readonly #parts: PublisherParts;
  #number = 0;
  #isFull = false;
  #told = false;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** False: there was nothing to publish. Throws as `KvsStore.publish` does. */
  async next(): Promise<boolean> {
    const { store, token, core, log } = this.#parts;
    const publish = core.takePublish(publishMost, publishBytes);
    if (publish === null) return false;
    try {
      await store.publish(token, ++this.#number, publish.tasks, publish.where);
    } catch (error) {
      if (!(error instanceof KvsFullError)) throw error;
      core.onNotPublished();
      this.#onFull(error);
      await delay(againMs);
      return true;
    }
    if (this.#isFull) log.info("the key-value store has room again");
    this.#isFull = false;
    return true;
  }

  #onFull(error: KvsFullError): void {
    if (!this.#isFull) this.#parts.log.error({ err: error }, "no more tasks can be published");
    this.#isFull = true;
    if (this.#told) return;
    this.#told = true;
    this.#parts.onNotice(
      `${error.message}. The run goes on when there is room; what is published already, goes on now`,
    );
  }
}
