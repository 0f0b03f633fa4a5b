import { isUtf8 } from "node:buffer";
import type { KvsAddress } from "../../address.js";
import { KvsError } from "../../errors.js";
import type { RunId } from "../../protocol/index.js";
import { ListConnection, ListWatch, buffersOf } from "./list-connection.js";
import { type SignIn, doneTasksKey, driverPositionsKey, endKey, signInKeys } from "./names.js";
import { listScripts } from "./scripts.js";

/** A result as the program gets it. */
export interface PublishedResult {
  readonly id: number;
  /** JSON. */
  readonly status: string;
}

const waitMs = 30_000;
const mostBytes = 1024 * 1024;
/** After the end, on a server that stays. */
const keptSeconds = 86_400;

/**
 * The driver's end of the lists by which another program hands over tasks and gets results. Throws as the verbs of a `KvsStore` do:
 * `KvsLostError` when the server has forgotten, `KvsClosedError` after `close`.
 */
export class TaskChannel {
  readonly #lists: ListConnection;
  readonly #watch: ListWatch;
  readonly #run: RunId;
  #signIn: SignIn | null = null;
  #taken = 0;
  #offered = 0;
  #published = 0;
  readonly #posted = new Map<string, number>();

  private constructor(lists: ListConnection, watch: ListWatch, run: RunId) {
    this.#lists = lists;
    this.#watch = watch;
    this.#run = run;
  }

  static async open(address: KvsAddress, run: RunId): Promise<TaskChannel> {
    const where = { address, role: "driver" } as const;
    const lists = await ListConnection.open(where);
    return new TaskChannel(lists, new ListWatch(where, lists.serverRunId), run);
  }

  /** Null when no program has signed in yet; see `waitForSignIn`. */
  async signIn(): Promise<SignIn | null> {
    const heads: Buffer[] = [];
    for (const key of signInKeys) {
      const head = await this.#lists.command("LINDEX", key, 0);
      if (!Buffer.isBuffer(head)) return null;
      heads.push(head);
    }
    const [name, doneTask, resultKey, taskKey] = heads;
    if (name === undefined || doneTask === undefined || resultKey === undefined || taskKey === undefined)
      return null;
    const signIn = {
      name: textOf(name, "task source name"),
      doneTask,
      resultKey: textOf(resultKey, "task source result key"),
      taskKey: textOf(taskKey, "task source task key"),
    };
    const pairs = signInKeys.flatMap((key, index) => [key, heads[index] ?? ""]);
    const key = driverPositionsKey(signIn.taskKey);
    if ((await this.#lists.script(listScripts.claim, key, [this.#run, ...pairs])) !== 1) return null;
    this.#signIn = signIn;
    return signIn;
  }

  /** Waits until there may be a sign-in; may answer early. */
  async waitForSignIn(): Promise<void> {
    for (const key of signInKeys) await this.#watch.wait(key, waitMs);
  }

  /** The next tasks, as they were pushed. Those of the call before are dropped: they must be safe by now. */
  async take(max: number): Promise<readonly Buffer[]> {
    const { taskKey } = this.#signedIn();
    this.#taken += this.#offered;
    this.#offered = 0;
    const args = ["tasks", taskKey, this.#taken, max, mostBytes];
    const tasks = buffersOf(await this.#lists.script(listScripts.read, driverPositionsKey(taskKey), args));
    this.#offered = tasks.length;
    return tasks;
  }

  /** Waits until there may be a task; may answer early. */
  waitForTask(): Promise<void> {
    return this.#watch.wait(this.#signedIn().taskKey, waitMs);
  }

  /** One call at a time. Answers how many results wait to be fetched. */
  async publish(results: readonly PublishedResult[]): Promise<number> {
    const { taskKey, resultKey } = this.#signedIn();
    const pairs = results.flatMap(({ id, status }) => [id, status]);
    const args = [resultKey, this.#published, ...pairs];
    const unfetched = await this.#lists.script(listScripts.results, driverPositionsKey(taskKey), args);
    this.#published += results.length;
    return Number(unfetched);
  }

  async unfetched(): Promise<number> {
    return Number(await this.#lists.command("LLEN", doneTasksKey(this.#signedIn().resultKey)));
  }

  /** Leaves a value in a list of the program's own choice (`BARRIER key`). */
  async post(key: string, value: string): Promise<void> {
    const count = this.#posted.get(key) ?? 0;
    const args = [`post ${key}`, key, count, value];
    await this.#lists.script(listScripts.append, driverPositionsKey(this.#signedIn().taskKey), args);
    this.#posted.set(key, count + 1);
  }

  /** Tells the program that nothing more comes. */
  async end(message: string): Promise<void> {
    const { taskKey, resultKey } = this.#signedIn();
    const args = ["end", endKey(resultKey), 0, message];
    await this.#lists.script(listScripts.append, driverPositionsKey(taskKey), args);
  }

  /** Removes what nobody needs any more. What is not fetched stays for a day. */
  async clear(): Promise<void> {
    const signIn = this.#signIn;
    if (signIn === null) return;
    await this.#lists.command("DEL", signIn.taskKey, driverPositionsKey(signIn.taskKey));
    await this.#lists.command("EXPIRE", endKey(signIn.resultKey), keptSeconds);
    const done = doneTasksKey(signIn.resultKey);
    const left = await this.unfetched();
    for (let from = 0; from < left; from += 1000) {
      const args = [signIn.resultKey, from, from + 999, keptSeconds];
      await this.#lists.script(listScripts.expire, done, args);
    }
  }

  /** A wait or a request under way rejects with `KvsClosedError`. Twice is fine. */
  async close(): Promise<void> {
    await Promise.all([this.#lists.close(), this.#watch.close()]);
  }

  #signedIn(): SignIn {
    if (this.#signIn === null) throw new Error("nobody has signed in");
    return this.#signIn;
  }
}

/** Names are texts of other keys. Throws `KvsError` on what is none. */
function textOf(bytes: Buffer, key: (typeof signInKeys)[number]): string {
  if (bytes.length > mostNameBytes)
    throw new KvsError(`what stands in ${JSON.stringify(key)} is no name: it has ${bytes.length} bytes`);
  if (!isUtf8(bytes)) throw new KvsError(`what stands in ${JSON.stringify(key)} is no name: it is not UTF-8`);
  return bytes.toString();
}

const mostNameBytes = 1_000;
