import { randomBytes } from "node:crypto";
import { Bell } from "@taskmuster/driver";
import { TaskClient } from "@taskmuster/kvs/redis";
import type { KvsAddress } from "@taskmuster/kvs/server";
import type { RunSummary, TaskStatus } from "./public.js";
import { isSummary, parseLine, parseStatus } from "./driver-lines.js";

const mostResults = 500;
const mostLines = 1_000;

interface Line {
  readonly text: string | Buffer;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One signed-in program: lines go out in their order, results come in when somebody asks. */
export class Connection {
  readonly #client: TaskClient;
  readonly #doneTask: Buffer;
  readonly #onStatus: (status: TaskStatus) => void;
  readonly #lines: Line[] = [];
  #isSending = false;
  readonly #news = new Bell();
  #isWaiting = false;
  #gathering: Promise<boolean> | null = null;
  #isOver = false;
  #failure: { readonly error: unknown } | null = null;

  private constructor(client: TaskClient, doneTask: Buffer, onStatus: (status: TaskStatus) => void) {
    this.#client = client;
    this.#doneTask = doneTask;
    this.#onStatus = onStatus;
  }

  static async open(
    address: KvsAddress,
    tasksName: string,
    onStatus: (status: TaskStatus) => void,
  ): Promise<Connection> {
    // Names that nobody used before, so that nothing of an earlier program is taken for ours.
    const unique = `${tasksName} ${randomBytes(4).toString("hex")}`;
    const doneTask = Buffer.from(`${unique} done!`);
    const signIn = { name: tasksName, doneTask, resultKey: `${unique} result`, taskKey: `${unique} task` };
    return new Connection(await TaskClient.open(address, signIn), doneTask, onStatus);
  }

  submit(text: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#lines.push({ text, resolve, reject });
      if (!this.#isSending) void this.#send();
    });
  }

  submitDone(): Promise<void> {
    return this.submit(this.#doneTask);
  }

  /** Resolves when the driver says that the run has ended. */
  async ended(): Promise<RunSummary> {
    const said = parseLine(await this.#client.waitForEnd());
    return isSummary(said) ? said : { reason: "error", message: "the driver's last word is not understood" };
  }

  /** From now on `gather` does not wait: all that will ever come is there. */
  onEnd(): void {
    this.#isOver = true;
    this.#news.ring();
  }

  /** Brings the next results; false: no more will come. All who ask meanwhile wait for the same ones. */
  gather(): Promise<boolean> {
    this.#gathering ??= this.#gather().finally(() => {
      this.#gathering = null;
    });
    return this.#gathering;
  }

  async clear(): Promise<void> {
    await this.#client.clear();
  }

  /** What is under way rejects. */
  async close(): Promise<void> {
    await this.#client.close();
    this.#news.ring();
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    while (this.#lines.length > 0) {
      const batch = this.#lines.splice(0, mostLines);
      try {
        await this.#client.submit(batch.map(({ text }) => text));
        for (const line of batch) line.resolve();
      } catch (error) {
        for (const line of batch) line.reject(error);
      }
    }
    this.#isSending = false;
  }

  async #gather(): Promise<boolean> {
    for (;;) {
      // Looked at first: what was published before the end is there then.
      const isOver = this.#isOver;
      const found = await this.#client.fetch(mostResults);
      for (const text of found) {
        const status = parseStatus(text);
        if (status !== null) this.#onStatus(status);
      }
      if (found.length > 0) return true;
      if (isOver) return false;
      if (!this.#isWaiting) this.#wait();
      await this.#news.wait();
      if (this.#failure !== null) throw this.#failure.error;
    }
  }

  /** A wait that was begun is kept for the next time: there is one connection for it. */
  #wait(): void {
    this.#isWaiting = true;
    this.#client
      .waitForResult()
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#isWaiting = false;
        this.#news.ring();
      });
  }
}
