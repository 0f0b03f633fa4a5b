import { TaskmusterError } from "@taskmuster/kvs";
import type { RunId } from "@taskmuster/kvs/protocol";
import { type SignIn, TaskChannel } from "@taskmuster/kvs/redis";
import type { KvsAddress } from "@taskmuster/kvs/server";
import type { PerEngineLines } from "../core/driver-core.js";
import type { Item } from "../core/task-file/index.js";
import { readPerEngine } from "../open-list.js";
import type { ResultSink } from "../result-sink.js";
import { SpooledBytes } from "./byte-sources.js";
import { commandEnvironment } from "./command-environment.js";
import { CommandProcess } from "./command-process.js";
import { KvsBytes } from "./kvs-bytes.js";
import { type Ended, KvsListEnd } from "./kvs-list-end.js";
import { KvsResults } from "./kvs-results.js";
import { ParsedSource } from "./parsed-source.js";
import type { TaskSource } from "./task-source.js";

export interface KvsListOptions {
  readonly address: KvsAddress;
  readonly runId: RunId;
  /** When the server takes connections. */
  readonly ready: Promise<void>;
  /** The command that generates the tasks; null: somebody else signs in. */
  readonly command: string | null;
  readonly cwd: string;
  /** For the command, which is told of the store too. */
  readonly env: NodeJS.ProcessEnv;
  readonly graceMs: number;
  readonly lenient: boolean;
  /** Where the tasks are kept as they come. */
  readonly spool: string;
  /** Aborted: the start is given up. */
  readonly signal: AbortSignal;
  /** What the command writes. */
  readonly onOutput: (text: Uint8Array) => void;
  readonly onNotice: (message: string) => void;
  /** For tests; 100,000. */
  readonly mostUnfetched?: number;
}

/** A list that a program hands over through the key-value store, and gets the results of. */
export interface KvsList extends ResultSink {
  readonly source: TaskSource;
  readonly spool: { readonly path: string | null };
  readonly perEngine: PerEngineLines;
  readonly first: readonly Item[];
  /** Of the directives before `first`. */
  readonly notices: readonly string[];
  /**
   * To be called when the run has ended and everything is published, while the store is still there: tells the program, lets it fetch its
   * results, waits for the command or stops it, and clears up. Null: the run could not begin. Does not throw.
   */
  end(view: Ended | null): Promise<void>;
  /** Ends at once what `end` waits for. */
  hurry(): void;
}

/** The name of a list that comes so: `DISBATCH_NAMETASKS`. */
export const streamName = "STREAM";
const mostUnfetched = 100_000;

/**
 * Starts the command, waits for the sign-in and for the first task. Throws `TaskmusterError` (E_TASK_FILE when the command ends before it has
 * signed in, or a directive is wrong; E_KVS_CLOSED when aborted) and leaves nothing behind then.
 */
export async function openKvsList(options: KvsListOptions): Promise<KvsList> {
  const { address, runId, signal, onNotice } = options;
  await options.ready;
  const channel = await TaskChannel.open(address, runId);
  const command =
    options.command === null
      ? null
      : new CommandProcess({
          command: options.command,
          cwd: options.cwd,
          env: commandEnvironment(options.env, address),
          graceMs: options.graceMs,
          onOutput: options.onOutput,
        });
  let source: TaskSource | null = null;
  const giveUp = (): void => {
    void source?.close();
    void channel.close();
  };
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    signal.throwIfAborted();
    const signIn = await waitForSignIn(channel, command);
    const results = new KvsResults(channel);
    const bytes = new KvsBytes({
      channel,
      signIn,
      submitter: command,
      results,
      mostUnfetched: options.mostUnfetched ?? mostUnfetched,
      onNotice,
      onVanished: () =>
        onNotice(
          `the task command ended (${command?.howItEnded ?? ""}) without the done task: the list ends here`,
        ),
    });
    const spool = new SpooledBytes(bytes, options.spool);
    source = new ParsedSource(streamName, spool, { lenient: options.lenient });
    const read = await readPerEngine(source);
    signal.throwIfAborted();
    const end = new KvsListEnd({ channel, command, isPrivate: address.private, onNotice });
    return {
      ...read,
      source,
      spool,
      publish: (rows) => results.publish(rows),
      post: (key, value) => results.post(key, value),
      end: (view) => end.run(view),
      hurry: () => end.hurry(),
    };
  } catch (error) {
    await Promise.all([source?.close(), command?.stop()]);
    await channel.clear().catch(() => undefined);
    await channel.close();
    if (signal.aborted)
      throw new TaskmusterError("E_KVS_CLOSED", "stopped while waiting for the first task", { cause: error });
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

async function waitForSignIn(channel: TaskChannel, command: CommandProcess | null): Promise<SignIn> {
  for (;;) {
    // Looked at first: what it pushed before it went is there then.
    const isGone = command?.isGone ?? false;
    const signIn = await channel.signIn();
    if (signIn !== null) return signIn;
    if (isGone && command !== null) {
      const words = command.lastWords === "" ? "It said nothing." : `It said:\n${command.lastWords}`;
      throw new TaskmusterError(
        "E_TASK_FILE",
        `the task command ended (${command.howItEnded}) before it signed in. ${words}`,
      );
    }
    const waiting = channel.waitForSignIn();
    waiting.catch(() => undefined);
    await Promise.race([waiting, ...(command === null ? [] : [command.gone])]);
  }
}
