import { setTimeout as sleep } from "node:timers/promises";
import type { TaskChannel } from "@taskmuster/kvs/redis";
import { reasonText } from "../core/end-reason.js";
import type { RunView } from "../core/run-view.js";
import type { CommandProcess } from "./command-process.js";

interface Parts {
  readonly channel: Pick<TaskChannel, "end" | "unfetched" | "clear" | "close">;
  readonly command: Pick<CommandProcess, "gone" | "stop"> | null;
  /** The store goes away with the run, and what is in it. */
  readonly isPrivate: boolean;
  readonly onNotice: (message: string) => void;
  /** For tests. */
  readonly patienceMs?: number;
}

const lookAgainMs = 20;
const answerMs = 5_000;
/** So long results wait for somebody who fetches none. */
const patienceMs = 10_000;

export type Ended = Pick<RunView, "reason">;

/** As programs are told. */
interface End {
  readonly reason: string;
  readonly message: string | null;
}

/** The end of a list that came through the store. */
export class KvsListEnd {
  readonly #parts: Parts;
  readonly #hurry = new AbortController();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  hurry(): void {
    this.#hurry.abort();
  }

  /** Null: the run could not begin. Does not throw. */
  async run(view: Ended | null): Promise<void> {
    const { channel, command, onNotice } = this.#parts;
    try {
      // The store may be what broke: then nothing can be said to anybody.
      if (view?.reason?.kind !== "broken") await this.#tell(endOf(view));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      onNotice(`the program that submitted the tasks could not be told of their end: ${why}`);
    }
    await command?.stop();
    await channel.close();
  }

  async #tell(end: End): Promise<void> {
    const { channel, command, isPrivate } = this.#parts;
    await this.#answer(channel.end(JSON.stringify(end)));
    // A command may have work to do with the last results; one whose run was stopped is stopped too.
    if (command !== null && end.reason === "finished") await this.#goneOrHurried(command.gone);
    else if (command === null && isPrivate && end.reason !== "stopped") await this.#fetched();
    if (!isPrivate) await this.#answer(channel.clear());
  }

  async #goneOrHurried(gone: Promise<unknown>): Promise<void> {
    const { signal } = this.#hurry;
    if (signal.aborted) return;
    const hurried = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.race([gone, hurried]);
  }

  /** Whoever fetches results does so without a word. */
  async #fetched(): Promise<void> {
    const { channel, onNotice } = this.#parts;
    let left = await this.#answer(channel.unfetched());
    let progressAt = performance.now();
    while (left > 0 && !this.#hurry.signal.aborted) {
      if (performance.now() - progressAt > (this.#parts.patienceMs ?? patienceMs)) {
        onNotice(`${left} results were not fetched, and go with the private key-value store`);
        return;
      }
      await sleep(lookAgainMs, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
      const now = await this.#answer(channel.unfetched());
      if (now < left) progressAt = performance.now();
      left = now;
    }
  }

  /** A store that died meanwhile would be waited for: requests are sent until there is an answer. */
  async #answer<Value>(request: Promise<Value>): Promise<Value> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("the key-value store does not answer")), answerMs);
    });
    try {
      return await Promise.race([request, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function endOf(view: Ended | null): End {
  if (view === null) return { reason: "error", message: "the run could not begin" };
  return { reason: view.reason?.kind ?? "finished", message: reasonText(view.reason) };
}
