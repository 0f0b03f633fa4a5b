import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { nulByteErrno } from "../core/start-failure.js";
import guardianScript from "./guardian.sh";
import { LaunchError } from "./launch-error.js";
import type { LaunchRequest, LaunchResult, Launcher, LauncherEvents } from "./launcher.js";
import { NodeTask } from "./node-task.js";
import { findTree, killTree, signalProcesses } from "./process-tree.js";
import { RunningTasks } from "./running-tasks.js";
import { failedToStart, lostResult, refused } from "./unstarted.js";

interface Ladder {
  readonly killAt: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * The plainer launcher, for hosts without Perl: Node starts the shells, at half the speed, and a bash script beside it guards
 * them. The same promises, but one: a child that left its task's session *and* dropped its environment is not found.
 */
export class NodeLauncher implements Launcher {
  readonly #events: LauncherEvents;
  readonly #cwd: string;
  readonly #livenessFd: number | undefined;
  readonly #nonce = randomBytes(12).toString("hex");
  readonly #tasks = new RunningTasks();
  readonly #ladders = new Map<number, Ladder>();
  /** Marks tell the attempts at one tag apart: a tag may be used again while something of its last task lives on. */
  readonly #marks = new Map<number, string>();
  #launched = 0;
  #guardian: ChildProcess | null = null;
  #guardianGone: Promise<void> = Promise.resolve();
  #fence: NodeJS.Timeout | null = null;
  #fenced = false;
  #closed = false;

  constructor(options: { readonly events: LauncherEvents; readonly cwd: string; readonly livenessFd?: number }) {
    this.#events = options.events;
    this.#cwd = options.cwd;
    this.#livenessFd = options.livenessFd;
  }

  get pid(): number | undefined {
    return this.#guardian?.pid;
  }

  async start(): Promise<void> {
    if (this.#closed) throw new LaunchError("the launcher was closed");
    if (this.#guardian !== null) return;
    const guardian = spawn("/bin/bash", ["-c", guardianScript, "taskmuster-guardian", this.#nonce], {
      cwd: "/",
      detached: true,
      stdio: ["pipe", "ignore", "ignore", ...(this.#livenessFd === undefined ? [] : [this.#livenessFd])],
    });
    guardian.stdin?.on("error", () => undefined);
    await new Promise<void>((resolve, reject) => {
      guardian.once("spawn", resolve);
      guardian.once("error", (error) => reject(new LaunchError(`the guardian cannot be started: ${error.message}`)));
    });
    this.#guardian = guardian;
    this.#guardianGone = new Promise((resolve) => {
      guardian.once("exit", (code, signal) => {
        this.#onGuardianGone(signal ?? `exit status ${code ?? "unknown"}`).then(resolve, resolve);
      });
    });
  }

  launch(request: LaunchRequest): void {
    const task = this.#tasks.add(request.tag);
    if (this.#guardian === null || this.#fenced || this.#closed) return this.#endSoon(refused(request.tag));
    if (request.command.includes(0)) return this.#endSoon(failedToStart(request.tag, nulByteErrno, "exec"));
    const mark = `${this.#nonce}.${++this.#launched};`;
    const started = new NodeTask(request, { cwd: this.#cwd, mark });
    if (started.pid !== undefined) {
      task.pid = started.pid;
      this.#marks.set(request.tag, mark);
      this.#tell(`+ ${this.#launched} ${started.pid}`);
    }
    started.ended.then(
      (result) => this.#onEnded(result, mark),
      () => this.#onEnded(lostResult(task), mark),
    );
  }

  stop(tag: number, graceMs: number): void {
    const task = this.#tasks.get(tag);
    if (task === undefined || task.pid === -1) return;
    const killAt = performance.now() + graceMs;
    const before = this.#ladders.get(tag);
    if (before !== undefined && before.killAt <= killAt) return;
    clearTimeout(before?.timer);
    const first = !task.stopping;
    task.stopping = true;
    const timer = setTimeout(() => void killTree(this.#selector(tag, task.pid)), graceMs);
    this.#ladders.set(tag, { killAt, timer });
    if (first && graceMs > 0) void this.#terminate(tag, task.pid);
  }

  setDeadline(msFromNow: number): void {
    this.#fenced = false;
    if (this.#fence !== null) clearTimeout(this.#fence);
    this.#tell(`D ${Math.max(1, Math.ceil(msFromNow / 1000))}`);
    this.#fence = setTimeout(() => void this.#fall(), Math.max(0, msFromNow));
    this.#fence.unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#fence !== null) clearTimeout(this.#fence);
    await this.#killAll();
    this.#guardian?.stdin?.end();
    await this.#guardianGone;
  }

  #selector(tag: number, pid: number): Parameters<typeof killTree>[0] {
    return { sessions: new Set([pid]), mark: this.#marks.get(tag) ?? this.#nonce };
  }

  async #terminate(tag: number, pid: number): Promise<void> {
    const members = await findTree(this.#selector(tag, pid));
    signalProcesses(members, "SIGTERM");
    // One that is stopped would never see it.
    signalProcesses(members, "SIGCONT");
  }

  async #fall(): Promise<void> {
    this.#fenced = true;
    await this.#killAll();
    this.#events.onFenced();
  }

  /** Kills what runs and tells its ends as lost. */
  async #killAll(): Promise<void> {
    const lost = this.#tasks.takeAll();
    await Promise.all(lost.filter(({ pid }) => pid > 0).map(({ tag, pid }) => killTree(this.#selector(tag, pid))));
    for (const task of lost) {
      this.#forget(task.tag);
      this.#events.onEnd(lostResult({ ...task, stopping: true }));
    }
  }

  async #onEnded(result: LaunchResult, mark: string): Promise<void> {
    const task = this.#tasks.get(result.tag);
    if (task === undefined) return;
    // What a stopped task has left behind goes too; what one that ended by itself has left behind is left alone.
    if (task.stopping) await killTree({ sessions: new Set([task.pid]), mark });
    if (!this.#tasks.remove(result.tag)) return;
    this.#forget(result.tag);
    this.#events.onEnd({ ...result, stopped: task.stopping });
  }

  #forget(tag: number): void {
    clearTimeout(this.#ladders.get(tag)?.timer);
    this.#ladders.delete(tag);
    const number = this.#marks.get(tag)?.split(/[.;]/)[1];
    this.#marks.delete(tag);
    if (number !== undefined) this.#tell(`- ${number}`);
  }

  async #onGuardianGone(why: string): Promise<void> {
    this.#guardian = null;
    if (this.#closed) return;
    await this.#killAll();
    this.#events.onFailure(why);
  }

  #tell(line: string): void {
    this.#guardian?.stdin?.write(`${line}\n`);
  }

  #endSoon(result: LaunchResult): void {
    setImmediate(() => {
      if (this.#tasks.remove(result.tag)) this.#events.onEnd(result);
    });
  }
}
