import { randomBytes } from "node:crypto";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { nulByteErrno } from "../core/start-failure.js";
import { FifoPool, closePipe } from "./fifo-pool.js";
import { Guardian } from "./guardian.js";
import { LaunchError } from "./launch-error.js";
import type {
  LaunchPlace,
  LaunchRequest,
  LaunchResult,
  Launcher,
  LauncherEvents,
  Timeout,
} from "./launcher.js";
import { type CancelWait, waitFor } from "./long-wait.js";
import { NodeTask, type PlacedRequest, SpawnRefused, errnoOf } from "./node-task.js";
import { holdsNulByte } from "./nul-byte.js";
import { keepSpareDescriptors, markVariable } from "./process-tree.js";
import { type RunningTask, RunningTasks } from "./running-tasks.js";
import { SlotQueue } from "./slot-queue.js";
import { type StopCause, TreeStop } from "./tree-stop.js";
import { failedToStart, refused } from "./unstarted.js";

export interface NodeLauncherOptions {
  readonly events: LauncherEvents;
  /** Directory that tasks start in. */
  readonly cwd: string;
  /** A descriptor that the guardian keeps open until every tree is dead. */
  readonly livenessFd?: number;
}

interface Entry extends RunningTask {
  /** Of this launcher, never used again; in the task's mark. */
  readonly serial: number;
  /** Null while it has not been spawned. */
  node: NodeTask | null;
  stop: TreeStop | null;
  timeout: CancelWait | null;
}

/** Too many processes, too little memory or no pipes are the node's state, not the task's fault: try again for a moment, then tell. */
const spawnRetryMs = [50, 100, 200, 400];
const passing: ReadonlySet<number> = new Set([
  constants.errno.EAGAIN,
  constants.errno.ENOMEM,
  constants.errno.EMFILE,
  constants.errno.ENFILE,
]);

/**
 * Starts each task by Node's own spawn, with a small bash process as the guardian. Plainer than the perl launcher: slower, and
 * each spawn holds the event loop up; orphans are found by session and mark only (one that made its own session and cleared its
 * environment escapes); variables that are not UTF-8 reach tasks as Node shows them; a death by a real-time signal (32 and above) is told
 * as exit status 0, as Node tells it.
 */
export class NodeLauncher implements Launcher {
  readonly #options: NodeLauncherOptions;
  readonly #tasks = new RunningTasks<Entry>();
  readonly #queue = new SlotQueue();
  #guardian: Guardian | null = null;
  #pipes: FifoPool | null = null;
  #starting: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #nonce = "";
  #lastSerial = 0;
  /** By our monotonic clock, ms. */
  #deadline: number | null = null;
  #fence: NodeJS.Timeout | undefined;
  #fenced = false;

  constructor(options: NodeLauncherOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#guardian?.pid;
  }

  start(): Promise<void> {
    if (this.#closing !== null) return Promise.reject(new LaunchError("the launcher was closed"));
    if (this.#guardian !== null) return Promise.resolve();
    this.#starting ??= this.#open().finally(() => (this.#starting = null));
    return this.#starting;
  }

  setSlots(slots: readonly LaunchPlace[]): void {
    this.#queue.setSlots(slots);
  }

  launch(request: LaunchRequest): void {
    if (this.#queue.has(request.tag)) throw new RangeError(`tag ${request.tag} is in use`);
    this.#launch({ ...request, cpus: undefined });
  }

  enqueue(request: LaunchRequest): void {
    if (this.#tasks.get(request.tag) !== undefined) throw new RangeError(`tag ${request.tag} is in use`);
    this.#queue.add(request);
    if (this.#mayRun) this.#fill();
    else this.recall();
  }

  recall(): void {
    const tags = this.#queue.recall();
    if (tags.length > 0) setImmediate(() => this.#options.events.onRecalled(tags));
  }

  #fill(): void {
    for (let next = this.#queue.next(); next !== null; next = this.#queue.next()) {
      const { request, place } = next;
      this.#launch({ ...request, env: { ...request.env, ...place.env }, cpus: place.cpus });
    }
  }

  #launch(request: PlacedRequest): void {
    const { tag } = request;
    const mayRun = this.#mayRun;
    const entry = this.#tasks.add(tag, (task) => ({
      ...task,
      serial: ++this.#lastSerial,
      node: null,
      stop: null,
      timeout: null,
    }));
    if (!mayRun) this.#endSoon(entry, refused(tag));
    else if (holdsNulByte(request)) this.#endSoon(entry, failedToStart(tag, nulByteErrno, "exec"));
    else void this.#run(entry, request);
  }

  stop(tag: number, graceMs: number): void {
    const entry = this.#tasks.get(tag);
    if (entry !== undefined) void this.#stop(entry, graceMs, "order");
  }

  setDeadline(msFromNow: number): void {
    this.#deadline = performance.now() + msFromNow;
    if (msFromNow > 0) this.#fenced = false;
    this.#guardian?.setDeadline(msFromNow + guardianSlackMs);
    // A slot may have come free just past the old one.
    if (this.#mayRun) this.#fill();
    clearTimeout(this.#fence);
    // A longer one overflows Node's timers, not the guardian's.
    if (msFromNow < 2 ** 31) this.#fence = setTimeout(() => void this.#fall(), Math.max(0, msFromNow));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#fence);
    await this.#starting?.catch(() => undefined);
    await this.#stopAll("fence");
    const guardian = this.#guardian;
    this.#guardian = null;
    await guardian?.close();
    this.#pipes?.close();
  }

  async #open(): Promise<void> {
    this.#nonce = randomBytes(12).toString("hex");
    keepSpareDescriptors();
    this.#pipes ??= await FifoPool.open((directory) => this.#guardian?.removeAtEnd(directory));
    const { livenessFd } = this.#options;
    this.#guardian = await Guardian.start({
      mark: `${this.#nonce}.`,
      onDeath: (why) => void this.#guardianDied(why),
      ...(livenessFd === undefined ? {} : { livenessFd }),
    });
    this.#guardian.removeAtEnd(this.#pipes.directory);
    if (this.#deadline !== null) {
      this.#guardian.setDeadline(this.#deadline - performance.now() + guardianSlackMs);
    }
  }

  get #pastDeadline(): boolean {
    return this.#deadline !== null && performance.now() >= this.#deadline;
  }

  get #mayRun(): boolean {
    const guarded = this.#guardian !== null || this.#starting !== null;
    return guarded && this.#closing === null && !this.#fenced && !this.#pastDeadline;
  }

  async #run(entry: Entry, request: PlacedRequest, tries = 0): Promise<void> {
    try {
      await this.#starting;
      const pipes = await this.#pipes?.takeTwo();
      if (pipes === undefined || !this.#mayRun || !this.#isRunning(entry)) {
        pipes?.forEach(closePipe);
        this.#end(entry, refused(entry.tag));
        return;
      }
      const [out, err] = pipes;
      const env = {
        ...process.env,
        ...request.env,
        [markVariable]: (process.env[markVariable] ?? "") + this.#mark(entry),
      };
      entry.node = await NodeTask.start(request, env, this.#options.cwd, { out, err }, () =>
        this.#onExit(entry),
      );
      entry.pid = entry.node.pid;
      this.#guardian?.add(entry.pid);
      const { timeout } = request;
      if (timeout !== undefined && timeout !== null) this.#limit(entry, timeout);
      // It was stopped, and its end told, between these lines.
      if (!this.#isRunning(entry)) void this.#stop(entry, 0, "order");
    } catch (error) {
      const errno = errnoOf(error);
      const isTasks = error instanceof SpawnRefused && !passing.has(errno);
      if (isTasks) this.#end(entry, failedToStart(entry.tag, errno, "exec"));
      else await this.#runAgain(entry, request, tries, errno);
    }
  }

  async #runAgain(entry: Entry, request: PlacedRequest, tries: number, errno: number): Promise<void> {
    const wait = spawnRetryMs[tries];
    if (wait === undefined) this.#end(entry, failedToStart(entry.tag, errno, "fork"));
    else {
      await delay(wait);
      await this.#run(entry, request, tries + 1);
    }
  }

  #limit(entry: Entry, { afterMs, graceMs }: Timeout): void {
    entry.timeout = waitFor(afterMs, () => {
      // One that is being stopped already is stopped for that reason.
      if (this.#isRunning(entry) && entry.stop === null) void this.#stop(entry, graceMs, "timeout");
    });
  }

  #mark({ serial }: Entry): string {
    return `${this.#nonce}.${serial};`;
  }

  #onExit(entry: Entry): void {
    // Woken late (we were stopped past the deadline), it was perhaps the guardian that killed it.
    if (entry.stop === null && this.#pastDeadline) {
      this.#end(entry, entry.node?.finish("fence") ?? refused(entry.tag));
      void this.#fall();
    } else if (entry.stop === null) {
      this.#finish(entry);
    } else {
      entry.stop.shellEnded();
    }
  }

  /** Resolves when its tree is dead and its end told. */
  async #stop(entry: Entry, graceMs: number, cause: StopCause): Promise<void> {
    if (entry.node === null) {
      // Not spawned yet, and so it never will be.
      this.#end(entry, refused(entry.tag));
    } else if (entry.stop === null) {
      entry.stop = new TreeStop(entry.node, this.#mark(entry), graceMs, cause);
      await entry.stop.done;
      this.#finish(entry);
    } else {
      entry.stop.hurry(graceMs, cause);
      await entry.stop.done;
    }
  }

  async #stopAll(cause: StopCause): Promise<void> {
    this.recall();
    await Promise.all(this.#tasks.all().map((entry) => this.#stop(entry, 0, cause)));
  }

  /** The deadline has passed. */
  async #fall(): Promise<void> {
    if (this.#fenced) return;
    this.#fenced = true;
    // We are there to do it ourselves, and know what tasks that have ended left behind; the guardian would take everything.
    this.#guardian?.setDeadline(insteadOfUsMs);
    await this.#stopAll("fence");
    if (this.#fenced) this.#guardian?.setDeadline(neverMs);
    this.#options.events.onFenced();
  }

  async #guardianDied(why: string): Promise<void> {
    this.#guardian = null;
    await this.#stopAll("failure");
    this.#options.events.onFailure(why);
  }

  #finish(entry: Entry): void {
    const { node, stop } = entry;
    if (node === null) return;
    this.#guardian?.remove(node.pid);
    this.#end(entry, node.finish(stop?.signalled === true ? stop.cause : null));
  }

  #endSoon(entry: Entry, result: LaunchResult): void {
    setImmediate(() => this.#end(entry, result));
  }

  #isRunning(entry: Entry): boolean {
    return this.#tasks.get(entry.tag) === entry;
  }

  /** Nothing more is told of a task whose end was told. */
  #end(entry: Entry, result: LaunchResult): void {
    if (!this.#isRunning(entry)) return;
    this.#tasks.remove(entry.tag);
    entry.timeout?.();
    this.#queue.ended(entry.tag);
    if (this.#mayRun) this.#fill();
    this.#options.events.onEnds([result]);
  }
}

/** The guardian acts when we do not: not in the same moment. */
const guardianSlackMs = 100;
const insteadOfUsMs = 2_000;
const neverMs = 10 ** 12;
