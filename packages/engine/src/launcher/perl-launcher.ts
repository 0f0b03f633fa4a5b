import type { ChildProcess } from "node:child_process";
import { killProcess, startProcess } from "@taskmuster/kvs";
import { randomBytes } from "node:crypto";
import { nulByteErrno } from "../core/start-failure.js";
import { LaunchError } from "./launch-error.js";
import { holdsNulByte } from "./nul-byte.js";
import type { LaunchPlace, LaunchRequest, LaunchResult, Launcher, LauncherEvents } from "./launcher.js";
import { launcherEnvironment } from "./launcher-environment.js";
import {
  FrameReader,
  type Message,
  configFrame,
  deadlineFrame,
  launchFrame,
  recallFrame,
  scriptVersion,
  slotsFrame,
  stopFrame,
  timeoutFrame,
} from "./perl-frames.js";
import { type Platform, bootstrap, launcherScript, platforms } from "./perl-script.js";
import { killTree } from "./process-tree.js";
import { RunningTasks } from "./running-tasks.js";
import { failedToStart, lostResult, refused } from "./unstarted.js";

export interface PerlLauncherOptions {
  readonly events: LauncherEvents;
  /** Directory that tasks start in. */
  readonly cwd: string;
  /** A descriptor that the launcher keeps open until every tree is dead. */
  readonly livenessFd?: number;
  /** A program that forks for the script; where it is not given or cannot be run, the script does so itself. */
  readonly spawner?: string | null;
  /** Which of the script's platforms to try; all that may work here when not given. */
  readonly platform?: Platform;
}

/** Longest time from our end of the pipe being closed to the launcher's end: the ten seconds that it waits for processes that do not die, and some. */
const closeMs = 20_000;

type State =
  | { readonly kind: "down" }
  | { readonly kind: "starting"; readonly child: ChildProcess; readonly started: Promise<void> }
  /** `clockOffset`: seconds to add to our monotonic clock to get the script's, or a little less. */
  | { readonly kind: "up"; readonly child: ChildProcess; readonly clockOffset: number }
  | { readonly kind: "closed" };

/** One perl process, in a session of its own, that starts every task and guards the trees. See perl/*.pl. */
export class PerlLauncher implements Launcher {
  readonly #options: PerlLauncherOptions;
  readonly #tasks = new RunningTasks();
  /** Frames for a launcher that has not said hello yet, or that go out together at the end of this turn of the loop. */
  #outgoing: Buffer[] = [];
  #flushing = false;
  #state: State = { kind: "down" };
  /** By our monotonic clock, ms. */
  #deadline: number | null = null;
  #slots: readonly LaunchPlace[] = [];
  #nonce = "";
  #ownNames: ReadonlySet<string> = new Set();
  #gone: Promise<void> = Promise.resolve();

  constructor(options: PerlLauncherOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return "child" in this.#state ? this.#state.child.pid : undefined;
  }

  start(): Promise<void> {
    switch (this.#state.kind) {
      case "closed":
        return Promise.reject(new LaunchError("the launcher was closed"));
      case "up":
        return Promise.resolve();
      case "starting":
        return this.#state.started;
      case "down":
        return this.#startOneOf(
          this.#options.platform === undefined ? platforms() : [this.#options.platform],
        );
    }
  }

  /** A sandbox may refuse what the better platform needs. */
  async #startOneOf([platform, ...others]: readonly Platform[]): Promise<void> {
    if (platform === undefined) throw new LaunchError("no platform to try");
    try {
      await this.#spawn(platform);
    } catch (error) {
      if (others.length === 0) throw error;
      await this.#gone;
      if (this.#isClosed) throw error;
      await this.#startOneOf(others);
    }
  }

  get #isClosed(): boolean {
    return this.#state.kind === "closed";
  }

  setSlots(slots: readonly LaunchPlace[]): void {
    this.#slots = slots;
    // One that is still starting is told when it is up.
    if (this.#state.kind === "up") this.#send(slotsFrame(slots, this.#ownNames));
  }

  launch(request: LaunchRequest): void {
    const { tag } = request;
    this.#tasks.add(tag, (task) => task);
    if (!("child" in this.#state)) this.#endSoon(refused(tag));
    else if (holdsNulByte(request)) this.#endSoon(failedToStart(tag, nulByteErrno, "exec"));
    else this.#sendLaunch("now", request);
  }

  enqueue(request: LaunchRequest): void {
    const { tag } = request;
    this.#tasks.add(tag, (task) => task);
    if (!("child" in this.#state)) setImmediate(() => this.#giveBack([tag]));
    else if (holdsNulByte(request)) this.#endSoon(failedToStart(tag, nulByteErrno, "exec"));
    else this.#sendLaunch("inSlot", request);
  }

  recall(): void {
    if ("child" in this.#state) this.#send(recallFrame());
  }

  stop(tag: number, graceMs: number): void {
    const task = this.#tasks.get(tag);
    if (task === undefined || !("child" in this.#state)) return;
    task.stopping = true;
    this.#send(stopFrame(tag, graceMs));
  }

  setDeadline(msFromNow: number): void {
    this.#deadline = performance.now() + msFromNow;
    if (this.#state.kind === "up") this.#send(this.#deadlineFrame(this.#deadline, this.#state.clockOffset));
  }

  async close(): Promise<void> {
    if ("child" in this.#state) {
      const { child } = this.#state;
      // What it has not been given it could not give back.
      this.#flush();
      this.#state = { kind: "closed" };
      this.#outgoing = [];
      child.stdin?.end();
      const timer = setTimeout(() => killProcess(child, "SIGKILL"), closeMs);
      await this.#gone;
      clearTimeout(timer);
    }
    this.#state = { kind: "closed" };
    await this.#gone;
  }

  #spawn(platform: Platform): Promise<void> {
    const { cwd, livenessFd } = this.#options;
    const { env, names, restored, inheritedMark } = launcherEnvironment();
    this.#ownNames = names;
    const texts = [restored, ...launcherScript(platform, this.#options.spawner ?? null)];
    this.#nonce = randomBytes(12).toString("hex");
    const child = startProcess("perl", ["-e", bootstrap, ...texts.map(({ length }) => String(length))], {
      cwd,
      env,
      // Ctrl-C and job control reach our process group, but not it.
      detached: true,
      stdio: ["pipe", "pipe", "pipe", ...(livenessFd === undefined ? [] : [livenessFd])],
    });
    let lastWords = "";
    child.stderr
      ?.setEncoding("utf8")
      .on("data", (text: string) => (lastWords = (lastWords + text).slice(-2000)));
    // What we write to a process that is ending is lost; its end is told by "close".
    child.stdin?.on("error", () => undefined);
    child.stdin?.write(Buffer.concat([...texts, configFrame(this.#nonce, inheritedMark)]));

    let failure: Error | null = null;
    child.on("error", (error) => (failure = error));
    this.#gone = new Promise<void>((resolve) => {
      child.once("close", (code, signal) => {
        const why =
          failure?.message ??
          [`it ended with ${signal ?? `exit status ${code ?? "unknown"}`}`, lastWords.trim()]
            .filter(Boolean)
            .join(": ");
        this.#onGone(child, why).then(resolve, resolve);
      });
    });
    const started = new Promise<void>((resolve, reject) => {
      const reader = new FrameReader();
      // What it says has no meaning any more: it counts as dead, and what it runs with it.
      const understood = (chunk: Buffer): readonly Message[] => {
        try {
          return failure === null ? reader.read(chunk) : [];
        } catch (error) {
          failure = error instanceof Error ? error : new LaunchError(String(error));
          killProcess(child, "SIGKILL");
          return [];
        }
      };
      child.stdout?.on("data", (chunk: Buffer) => {
        const ends: LaunchResult[] = [];
        for (const message of understood(chunk)) {
          if (message.kind === "ended") {
            if (this.#tasks.remove(message.result.tag)) ends.push(message.result);
          } else {
            // What else it tells may be about what has ended before.
            this.#tellEnds(ends.splice(0));
            this.#onMessage(message, child, resolve);
          }
        }
        this.#tellEnds(ends);
      });
      child.once("close", () => {
        const why = failure?.message ?? lastWords.trim();
        reject(new LaunchError(`the perl launcher cannot be started in ${JSON.stringify(cwd)}: ${why}`));
      });
    });
    this.#state = { kind: "starting", child, started };
    return started;
  }

  #onMessage(message: Exclude<Message, { kind: "ended" }>, child: ChildProcess, started: () => void): void {
    switch (message.kind) {
      case "hello":
        if (message.version !== scriptVersion || this.#state.kind !== "starting") return;
        // Its clock was read before we got to know: what we take for a moment of its clock is never later than that moment.
        this.#state = { kind: "up", child, clockOffset: message.now - performance.now() / 1000 };
        if (this.#deadline !== null) {
          this.#outgoing.unshift(this.#deadlineFrame(this.#deadline, this.#state.clockOffset));
        }
        this.#outgoing.unshift(slotsFrame(this.#slots, this.#ownNames));
        this.#flush();
        started();
        break;
      case "started": {
        const task = this.#tasks.get(message.tag);
        if (task !== undefined) task.pid = message.pid;
        break;
      }
      case "recalled":
        this.#giveBack(message.tags);
        break;
      case "fenced":
        this.#options.events.onFenced();
        break;
    }
  }

  async #onGone(child: ChildProcess, why: string): Promise<void> {
    const wasUp = this.#state.kind === "up";
    const lost = this.#tasks.takeAll();
    // At once: what is launched from now on is answered without it.
    if (!this.#isClosed) this.#state = { kind: "down" };
    this.#outgoing = [];
    if (lost.length > 0 && child.pid !== undefined) {
      // Its own session is searched too: a child of it may not have made the task's session yet.
      const sessions = new Set([child.pid, ...lost.map(({ pid }) => pid).filter((pid) => pid > 1)]);
      await killTree({ sessions, mark: `${this.#nonce}.` });
    }
    const closed = this.#isClosed;
    this.#tellEnds(lost.map((task) => lostResult({ ...task, stopping: task.stopping || closed })));
    if (wasUp) this.#options.events.onFailure(why);
  }

  #deadlineFrame(deadlineMs: number, clockOffset: number): Buffer {
    return deadlineFrame(deadlineMs / 1000 + clockOffset);
  }

  #endSoon(result: LaunchResult): void {
    setImmediate(() => {
      if (this.#tasks.remove(result.tag)) this.#tellEnds([result]);
    });
  }

  #tellEnds(ends: readonly LaunchResult[]): void {
    if (ends.length > 0) this.#options.events.onEnds(ends);
  }

  #giveBack(tags: readonly number[]): void {
    const given = tags.filter((tag) => this.#tasks.remove(tag));
    if (given.length > 0) this.#options.events.onRecalled(given);
  }

  #sendLaunch(when: "now" | "inSlot", request: LaunchRequest): void {
    const { tag, timeout } = request;
    if (timeout !== undefined && timeout !== null) this.#send(timeoutFrame(tag, timeout));
    this.#send(launchFrame(when, request, this.#ownNames));
  }

  #send(frame: Buffer): void {
    this.#outgoing.push(frame);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#state.kind !== "up" || this.#outgoing.length === 0) return;
    const [only, ...others] = this.#outgoing;
    if (only === undefined) return;
    this.#state.child.stdin?.write(others.length === 0 ? only : Buffer.concat(this.#outgoing));
    this.#outgoing = [];
  }
}
