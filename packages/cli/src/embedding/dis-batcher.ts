import { setTimeout as sleep } from "node:timers/promises";
import { TaskmusterError } from "@taskmuster/kvs";
import { parseKvsServerOption } from "@taskmuster/kvs/server";
import type { DisBatcherOptions, DisBatcher as PublicDisBatcher, RunSummary, TaskStatus } from "./public.js";
import { Connection } from "./connection.js";
import { DriverChild } from "./driver-child.js";
import { ResultBox } from "./result-box.js";

const drainMs = 10_000;
const unknownEnd: RunSummary = { reason: "error", message: "nobody knows how" };

/** See public.d.ts, which is what its users read. */
export class DisBatcher implements PublicDisBatcher {
  readonly #child: DriverChild | null;
  readonly #connection: Promise<Connection>;
  readonly #box = new ResultBox();
  /** The run has ended, and all its results have come. */
  readonly #over: Promise<RunSummary>;
  #end: RunSummary | null = null;
  #isDone = false;

  constructor(options: DisBatcherOptions = {}) {
    const { tasksName = "DisBatcher", args = [], kvsServer, cwd, env = process.env } = options;
    if (kvsServer !== undefined && args.length > 0) {
      throw new TaskmusterError(
        "E_USAGE",
        'DisBatcher: kvsServer names a store on which a driver waits already, so args have nobody to go to; to start one on that store, put "--kvsserver" into args',
      );
    }
    this.#child = kvsServer === undefined ? new DriverChild({ args, cwd, env }) : null;
    const address =
      this.#child?.address ?? Promise.resolve().then(() => parseKvsServerOption(kvsServer ?? "", env));
    this.#connection = address.then((found) =>
      Connection.open(found, tasksName, (status) => this.#box.add(status)),
    );
    this.#over = this.#watch();
    // Whoever calls a method is told; whoever calls none must not die of it.
    this.#connection.catch(() => undefined);
    this.#over.catch(() => undefined);
  }

  submit(line: string): Promise<void> {
    const submitted = this.#submit(line);
    // Whoever does not wait hears of it from what it waits for.
    submitted.catch(() => undefined);
    return submitted;
  }

  async #submit(line: string): Promise<void> {
    if (this.#isDone) throw new TaskmusterError("E_USAGE", "submit after done: no more tasks can come");
    if (this.#end !== null) throw runIsOver(this.#end);
    await (await this.#connection).submit(line);
  }

  async syncTasks(ids: Iterable<number>): Promise<Map<number, TaskStatus>> {
    const found = new Map<number, TaskStatus>();
    for (const id of ids) found.set(id, await this.#next(() => this.#box.take(id)));
    return found;
  }

  waitOneTask(): Promise<TaskStatus> {
    return this.#next(() => this.#box.takeAny());
  }

  async *results(): AsyncGenerator<TaskStatus, void, undefined> {
    for (;;) {
      const status = await this.#find(() => this.#box.takeAny());
      if (status !== undefined) yield status;
      else return finished(await this.#over);
    }
  }

  async done(): Promise<RunSummary> {
    const connection = await this.#connection;
    if (!this.#isDone && this.#end === null) {
      this.#isDone = true;
      await Promise.race([connection.submitDone(), this.#over]);
    }
    const summary = await this.#over;
    finished(summary);
    return summary;
  }

  async stop(): Promise<void> {
    this.#child?.stop();
    if (this.#child === null) {
      const connection = await this.#connection;
      await connection.clear();
      await connection.close();
    }
    await this.#over.catch(() => undefined);
  }

  /** What `look` finds, now or when more results have come; rejects when it will never find it. */
  async #next(look: () => TaskStatus | undefined): Promise<TaskStatus> {
    const status = await this.#find(look);
    if (status === undefined) throw runIsOver(await this.#over);
    return status;
  }

  async #find(look: () => TaskStatus | undefined): Promise<TaskStatus | undefined> {
    for (;;) {
      const status = look();
      if (status !== undefined) return status;
      if (!(await this.#gather())) return look();
    }
  }

  /** False: no more results will come. */
  async #gather(): Promise<boolean> {
    const connection = await this.#connection;
    try {
      return await connection.gather();
    } catch (error) {
      // The connection is closed when the run is over.
      if (this.#end !== null) return false;
      throw error;
    }
  }

  async #watch(): Promise<RunSummary> {
    const connection = await this.#connection;
    const child = this.#child;
    if (child === null) {
      this.#onEnd(connection, await connection.ended());
      await this.#drain();
      await connection.clear().catch(() => undefined);
      await connection.close();
      return this.#end ?? unknownEnd;
    }
    this.#onEnd(connection, await Promise.race([connection.ended().catch(() => child.ended), child.ended]));
    // The driver lets us fetch all results before its private store goes; one that was killed takes them with it.
    const drained = this.#drain();
    const summary = await child.ended;
    const { private: isGone } = await child.address;
    if (!isGone) await Promise.race([drained, sleep(drainMs, undefined, { ref: false })]);
    await connection.close();
    await drained;
    this.#end = summary;
    return summary;
  }

  #onEnd(connection: Connection, summary: RunSummary): void {
    this.#end = summary;
    connection.onEnd();
  }

  async #drain(): Promise<void> {
    while (await this.#gather());
  }
}

function finished(summary: RunSummary): void {
  if (summary.reason !== "finished") throw runIsOver(summary);
}

function runIsOver({ reason, message }: RunSummary): TaskmusterError {
  const why = reason === "finished" ? "all its results have been given" : (message ?? reason);
  return new TaskmusterError("E_RUN_OVER", `the run has ended: ${why}`);
}
