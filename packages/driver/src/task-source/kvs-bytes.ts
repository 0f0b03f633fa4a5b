import { setTimeout as sleep } from "node:timers/promises";
import type { SignIn, TaskChannel } from "@taskmuster/kvs/redis";
import { Bell } from "../bell.js";
import type { ByteSource } from "./parsed-source.js";

/** Whoever pushes the tasks, if we started it. */
interface Submitter {
  readonly isGone: boolean;
  readonly gone: Promise<unknown>;
}

interface Room {
  isMoreThan(most: number): Promise<boolean>;
}

export interface KvsBytesOptions {
  readonly channel: Pick<TaskChannel, "take" | "waitForTask">;
  readonly signIn: SignIn;
  readonly submitter: Submitter | null;
  readonly results: Room;
  /** No more tasks are taken while more results than this wait to be fetched. */
  readonly mostUnfetched: number;
  readonly onNotice: (message: string) => void;
  /** The submitter has gone without the done task. */
  readonly onVanished: () => void;
}

const mostTasks = 512;
const lookAgainMs = 500;

/**
 * Tasks that a program pushes, as the bytes of a task file: one physical line for each element, so that several tasks in one element have the
 * same line number, as with disBatch. Within a line a lone carriage return separates tasks.
 */
export class KvsBytes implements ByteSource {
  readonly #options: KvsBytesOptions;
  readonly #closing = new AbortController();
  readonly #bell = new Bell();
  #isWaiting = false;
  #failure: { readonly error: unknown } | null = null;
  #over = false;

  constructor(options: KvsBytesOptions) {
    this.#options = options;
    void options.submitter?.gone.then(() => this.#bell.ring());
  }

  async next(): Promise<Uint8Array | null> {
    const { channel, submitter, signIn } = this.#options;
    while (!this.#over) {
      if (!(await this.#roomForResults())) break;
      // Looked at first: what it pushed before it went is there then.
      const isGone = submitter?.isGone ?? false;
      const tasks = await channel.take(mostTasks);
      const end = tasks.findIndex((task) => task.equals(signIn.doneTask));
      if (end !== -1) this.#over = true;
      const lines = end === -1 ? tasks : tasks.slice(0, end);
      if (lines.length > 0) return Buffer.concat(lines.flatMap((task) => [oneLine(task), lineFeed]));
      if (end !== -1) break;
      if (isGone) {
        this.#over = true;
        this.#options.onVanished();
      } else await this.#news();
    }
    return null;
  }

  close(): Promise<void> {
    this.#over = true;
    this.#closing.abort();
    this.#bell.ring();
    return Promise.resolve();
  }

  /** Something may have been pushed, or nobody is there any more. */
  async #news(): Promise<void> {
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#options.channel
        .waitForTask()
        .catch((error: unknown) => {
          this.#failure = { error };
        })
        .finally(() => {
          this.#isWaiting = false;
          this.#bell.ring();
        });
    }
    await this.#bell.wait();
    if (this.#failure !== null && !this.#over) throw this.#failure.error;
  }

  /** False: closed meanwhile. Other programs take results without a word, so there is nothing to wait for but the time. */
  async #roomForResults(): Promise<boolean> {
    const { results, mostUnfetched, onNotice } = this.#options;
    let told = false;
    while (!this.#over && (await results.isMoreThan(mostUnfetched))) {
      if (!told) {
        onNotice(
          `more than ${mostUnfetched} results wait to be fetched: no more tasks are taken until some are`,
        );
      }
      told = true;
      await sleep(lookAgainMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
    return !this.#over;
  }
}

const lineFeed = Buffer.from("\n");

const carriageReturn = 0x0d;

/** What splits lines within one element is `\n`, `\r\n` and a lone `\r`; empty lines at its end are none. */
function oneLine(task: Buffer): Buffer {
  let end = task.length;
  while (end > 0 && (task[end - 1] === lineFeed[0] || task[end - 1] === carriageReturn)) end--;
  const text = task.subarray(0, end);
  if (!text.includes(lineFeed)) return text;
  return Buffer.from(text.toString("latin1").replaceAll(/\r?\n/g, "\r"), "latin1");
}
