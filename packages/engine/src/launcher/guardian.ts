import type { ChildProcess } from "node:child_process";
import { killProcess, startProcess } from "@taskmuster/kvs";
import script from "./guardian.sh";
import { LaunchError } from "./launch-error.js";

export interface GuardianOptions {
  /** Part of the mark by which all tasks' processes are found. */
  readonly mark: string;
  /** A descriptor that it keeps open until every tree is dead. */
  readonly livenessFd?: number;
  /** It ended although nobody asked it to. */
  readonly onDeath: (why: string) => void;
}

/** Longest time from the end of its input to its end: ten seconds for processes that do not die, and some. */
const closeMs = 20_000;

/** A bash process in a session of its own that kills the trees when we cannot. See guardian.sh. */
export class Guardian {
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  #closing = false;

  private constructor(child: ChildProcess, onDeath: (why: string) => void) {
    this.#child = child;
    this.#gone = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        resolve();
        if (!this.#closing)
          onDeath(`the guardian ended with ${signal ?? `exit status ${code ?? "unknown"}`}`);
      });
    });
  }

  /** Throws `LaunchError`. */
  static start({ mark, livenessFd, onDeath }: GuardianOptions): Promise<Guardian> {
    // -p: neither BASH_ENV nor functions from the environment.
    // The directory tells whoever looks for it later whose it is.
    const child = startProcess("/bin/bash", ["-p", "-c", script, "taskmuster-guardian", process.cwd()], {
      cwd: "/",
      detached: true,
      stdio: ["pipe", "ignore", "ignore", ...(livenessFd === undefined ? [] : [livenessFd])],
    });
    // What we write to one that is ending is lost; its end is told by "close".
    child.stdin?.on("error", () => undefined);
    return new Promise((resolve, reject) => {
      child.once("error", (error) =>
        reject(new LaunchError(`the guardian cannot be started: ${error.message}`)),
      );
      child.once("spawn", () => {
        const guardian = new Guardian(child, onDeath);
        guardian.#write(`M ${mark}`);
        resolve(guardian);
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The pid of a task's shell. */
  add(pid: number): void {
    // 0, -1 and 1 stand for processes that are not ours.
    if (pid > 1) this.#write(`+${pid}`);
  }

  remove(pid: number): void {
    this.#write(`-${pid}`);
  }

  setDeadline(msFromNow: number): void {
    this.#write(`D ${Math.max(0, Math.floor(msFromNow / 10))}`);
  }

  /** A directory of ours that must not outlive us. One whose name holds a line end does, when we are killed. */
  removeAtEnd(directory: string): void {
    if (!directory.includes("\n")) this.#write(`R ${directory}`);
  }

  /** Kills what is left, and waits for its end. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#child.stdin?.end();
    const timer = setTimeout(() => killProcess(this.#child, "SIGKILL"), closeMs);
    await this.#gone;
    clearTimeout(timer);
  }

  #write(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }
}
