import type { ChildProcess } from "node:child_process";
import { killProcess, startProcess } from "@taskmuster/kvs";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { LastWords, engineWords } from "../core/last-words.js";
import { type BegunConfig, type EngineEnd, type EngineHandle, configLine } from "./engine-handle.js";
import { endMark, upMark } from "./remote-script.js";

/** The program, ssh or srun, that connects us to an engine elsewhere. */
export interface Client {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The line of sh for the other side (`remoteScript`). */
  readonly line: string;
}

export interface RemoteEngineOptions {
  readonly host: string;
  /** Resolves when it is this one's turn to be started. May throw. */
  readonly prepare: () => Promise<Client>;
  /** The node has been reached, or never will be. */
  readonly onSettled: () => void;
  /** Why the client ended without the engine's end having been seen. `how`: exit status or signal. */
  readonly explain: (up: boolean, how: string, words: readonly string[]) => string;
  /** A line of the client's standard error, as it comes. */
  readonly onLine?: (line: string) => void;
  /** After the order to kill, until the client is sent SIGTERM, and then SIGKILL. */
  readonly patienceMs?: readonly [number, number];
}

/**
 * An engine on another node, seen through the client's pipes: what it is to do goes in, and out comes the word that the node was
 * reached and, when engine and guardian are dead, their end. The client's own end proves nothing.
 */
export class RemoteEngine implements EngineHandle {
  readonly gone: Promise<EngineEnd>;
  readonly #options: RemoteEngineOptions;
  readonly #words = new LastWords();
  /** What is to be written once the client runs. */
  #waiting = "";
  #child: ChildProcess | null = null;
  #phase: "unstarted" | "started" | "cancelled" | "gone" = "unstarted";
  #begun = false;
  #up = false;
  /** Exit status of the engine, once it has been told. */
  #status: number | null = null;
  readonly #timers: NodeJS.Timeout[] = [];
  #resolve: (end: EngineEnd) => void = () => undefined;

  constructor(options: RemoteEngineOptions) {
    this.#options = options;
    this.gone = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    options
      .prepare()
      .then((client) => this.#start(client))
      .catch((error: unknown) => this.#cannotStart(error instanceof Error ? error.message : String(error)));
  }

  begin(config: BegunConfig): void {
    this.#begun = true;
    this.#write(configLine(config));
  }

  terminate(): void {
    this.#order("stop");
  }

  kill(): void {
    const [termMs, killMs] = this.#options.patienceMs ?? [3000, 5000];
    if (this.#timers.length > 0) return;
    this.#order("kill");
    this.#after(termMs, () => this.#signal("SIGTERM"));
    this.#after(termMs + killMs, () => this.#signal("SIGKILL"));
  }

  #order(order: "stop" | "kill"): void {
    if (this.#phase === "unstarted") {
      this.#phase = "cancelled";
      this.#settle({ ok: true, message: "", proven: true, exitStatus: 0 });
    } else if (this.#begun) this.#write(`${order}\n`);
    // Before it knows what to do, the end of its input makes an engine go.
    else this.#child?.stdin?.end();
  }

  #write(text: string): void {
    if (this.#child === null) this.#waiting += text;
    else this.#child.stdin?.write(text);
  }

  #start({ command, args, env, line }: Client): void {
    // Cancelled while it waited for its turn: the turn is for another.
    if (this.#phase !== "unstarted") return this.#options.onSettled();
    this.#phase = "started";
    // In a session of its own: a Ctrl-C of the terminal is for us to pass on.
    const child = startProcess(command, args, { env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    child.stdin.on("error", () => undefined);
    child.stdin.write(`${line}\n${this.#waiting}`);
    this.#waiting = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.#words.add(text));
    if (this.#options.onLine !== undefined) eachLine(child.stderr, this.#options.onLine);
    eachLine(child.stdout.setEncoding("utf8"), (said) => this.#onLine(said));
    // Proof: nobody is left who could write there.
    child.stdout.once("end", () => {
      if (this.#status !== null) this.#after(lingerMs, () => this.#signal("SIGTERM"));
    });
    child.once("error", (error) => {
      if (child.pid === undefined) this.#cannotStart(noSuchProgram(command, error));
    });
    child.once("exit", (code, signal) => {
      // Something it left behind may hold its pipes.
      const timer = setTimeout(() => this.#onExit(code, signal), lingerMs);
      child.once("close", () => {
        clearTimeout(timer);
        this.#onExit(code, signal);
      });
    });
  }

  #onLine(line: string): void {
    const end = endLine.exec(line);
    if (end?.[1] !== undefined) this.#status = Number(end[1]);
    else if (line !== upMark) {
      // What a login shell says may be all that tells why it goes no further.
      if (!this.#up) this.#words.add(`${line}\n`);
      return;
    }
    if (!this.#up) this.#options.onSettled();
    this.#up = true;
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    const { host, explain } = this.#options;
    const status = this.#status;
    // The mark alone is not enough: the end of the output must have been seen too.
    if (status !== null && this.#child?.stdout?.readableEnded === true) {
      const how = `exit status ${status}${status > 128 ? ` (signal ${status - 128})` : ""}`;
      const said = engineWords(this.#words.lines);
      const message = status === 0 ? "" : `the engine on ${host} ended with ${how}${said && `: ${said}`}`;
      const exitStatus = status > 128 ? 128 - status : status;
      return this.#settle({ ok: status === 0, message, proven: true, exitStatus });
    }
    const how = signal === null ? `exit status ${code}` : `signal ${signal}`;
    this.#settle({
      ok: false,
      message: explain(this.#up, how, this.#words.lines),
      proven: false,
      // srun ends with 0 when the step's only node was lost.
      exitStatus: signal === null ? code || 1 : -constants.signals[signal],
    });
  }

  #cannotStart(why: string): void {
    const message = `cannot start an engine on ${this.#options.host}: ${why}`;
    this.#settle({ ok: false, message, proven: true, exitStatus: 127 });
  }

  #settle(end: EngineEnd): void {
    if (this.#phase === "gone") return;
    // A cancelled one still waits for its turn, and gives that back when it comes.
    if (this.#phase !== "cancelled") {
      this.#phase = "gone";
      if (!this.#up) this.#options.onSettled();
    }
    for (const timer of this.#timers) clearTimeout(timer);
    this.#child?.stdin?.destroy();
    this.#child?.stdout?.destroy();
    this.#child?.stderr?.destroy();
    this.#resolve(end);
  }

  #after(ms: number, action: () => void): void {
    this.#timers.push(setTimeout(action, ms));
  }

  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.#child !== null) killProcess(this.#child, signal);
  }
}

/** Calls back for each line; what is longer than any line of ours is cut. */
function eachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(-longestLine);
    for (const line of lines) onLine(line);
  });
}

function noSuchProgram(command: string, error: NodeJS.ErrnoException): string {
  return error.code === "ENOENT" ? `${command} is not on PATH` : `${command}: ${error.message}`;
}

const endLine = new RegExp(`^${endMark} ([0-9]{1,3})$`);
const lingerMs = 2000;
const longestLine = 1000;
