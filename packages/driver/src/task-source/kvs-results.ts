import type { PublishedResult, TaskChannel } from "@taskmuster/kvs/redis";
import { resultStatus } from "../core/result-status.js";
import type { StatusRow } from "../core/status-line/index.js";
import type { ResultSink } from "../result-sink.js";

/** In one request. */
const mostResults = 500;
const mostBytes = 1024 * 1024;

/** Gives results to the program that submits the tasks, and knows how many it has not fetched. */
export class KvsResults implements ResultSink {
  readonly #channel: Pick<TaskChannel, "publish" | "unfetched" | "post">;
  /** At least so many as are not fetched; exact when asked last. */
  #unfetched = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(channel: Pick<TaskChannel, "publish" | "unfetched" | "post">) {
    this.#channel = channel;
  }

  publish(rows: readonly StatusRow[]): Promise<void> {
    const results: PublishedResult[] = [];
    for (const row of rows) {
      const status = resultStatus(row);
      if (status !== null) results.push({ id: row.id, status });
    }
    return this.#inTurn(() => this.#publish(results));
  }

  post(key: string, value: string): Promise<void> {
    return this.#inTurn(() => this.#channel.post(key, value));
  }

  /** Asks only when it may be more than `most`. */
  async isMoreThan(most: number): Promise<boolean> {
    if (this.#unfetched <= most) return false;
    this.#unfetched = await this.#channel.unfetched();
    return this.#unfetched > most;
  }

  async #publish(results: readonly PublishedResult[]): Promise<void> {
    for (let from = 0; from < results.length;) {
      let bytes = 0;
      let to = from;
      while (to < results.length && to - from < mostResults && bytes < mostBytes) {
        bytes += results[to]?.status.length ?? 0;
        to++;
      }
      this.#unfetched = await this.#channel.publish(results.slice(from, to));
      from = to;
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work);
    return this.#last;
  }
}
