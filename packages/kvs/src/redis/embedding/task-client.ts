import type { KvsAddress } from "../../address.js";
import { ListConnection, ListWatch, buffersOf } from "./list-connection.js";
import { type SignIn, clientPositionsKey, doneTasksKey, endKey, signInKeys } from "./names.js";
import { listScripts } from "./scripts.js";

const waitMs = 30_000;

/** The other end of a `TaskChannel`: hands over tasks, gets their results. */
export class TaskClient {
  readonly #lists: ListConnection;
  readonly #resultWatch: ListWatch;
  readonly #endWatch: ListWatch;
  readonly #signIn: SignIn;
  #submitted = 0;
  #fetched = 0;
  #offered = 0;

  private constructor(lists: ListConnection, watches: readonly [ListWatch, ListWatch], signIn: SignIn) {
    this.#lists = lists;
    [this.#resultWatch, this.#endWatch] = watches;
    this.#signIn = signIn;
  }

  /** Signs in. Throws `KvsError` when the store cannot be reached. */
  static async open(address: KvsAddress, signIn: SignIn): Promise<TaskClient> {
    const where = { address, role: "client" } as const;
    const lists = await ListConnection.open(where);
    const watch = (): ListWatch => new ListWatch(where, lists.serverRunId);
    const client = new TaskClient(lists, [watch(), watch()], signIn);
    const values = [signIn.name, signIn.doneTask, signIn.resultKey, signIn.taskKey];
    const key = clientPositionsKey(signIn.taskKey);
    for (const [index, list] of signInKeys.entries())
      await lists.script(listScripts.append, key, [list, list, 0, values[index] ?? ""]);
    return client;
  }

  /** One call at a time. */
  async submit(tasks: readonly (string | Buffer)[]): Promise<void> {
    const { taskKey } = this.#signIn;
    const args = ["submitted", taskKey, this.#submitted, ...tasks];
    await this.#lists.script(listScripts.append, clientPositionsKey(taskKey), args);
    this.#submitted += tasks.length;
  }

  /** The next results that are there, in JSON; those of the call before are dropped. One call at a time. */
  async fetch(max: number): Promise<readonly string[]> {
    const { taskKey, resultKey } = this.#signIn;
    this.#fetched += this.#offered;
    this.#offered = 0;
    const args = [resultKey, this.#fetched, max];
    const statuses = buffersOf(
      await this.#lists.script(listScripts.fetch, clientPositionsKey(taskKey), args),
    );
    this.#offered = statuses.length;
    return statuses.map(String);
  }

  /** Waits until there may be a result; may answer early. */
  waitForResult(): Promise<void> {
    return this.#resultWatch.wait(doneTasksKey(this.#signIn.resultKey), waitMs);
  }

  /** Waits until the run has ended, and answers what the driver said of it, in JSON. */
  async waitForEnd(): Promise<string> {
    const key = endKey(this.#signIn.resultKey);
    for (;;) {
      const said = await this.#lists.command("LINDEX", key, 0);
      if (Buffer.isBuffer(said)) return said.toString();
      await this.#endWatch.wait(key, waitMs);
    }
  }

  /** Removes what only we need; also a sign-in that no driver has taken. */
  async clear(): Promise<void> {
    const { name, doneTask, resultKey, taskKey } = this.#signIn;
    const values = [name, doneTask, resultKey, taskKey];
    for (const [index, list] of signInKeys.entries())
      await this.#lists.command("LREM", list, 1, values[index] ?? "");
    await this.#lists.command("DEL", clientPositionsKey(taskKey), endKey(resultKey));
  }

  /** What is under way rejects with `KvsClosedError`. Twice is fine. */
  async close(): Promise<void> {
    await Promise.all([this.#lists.close(), this.#resultWatch.close(), this.#endWatch.close()]);
  }
}
