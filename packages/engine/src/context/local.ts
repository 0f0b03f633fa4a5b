import { type ChildProcess, spawn } from "node:child_process";
import { hostname } from "node:os";
import type { EngineConfig } from "../engine-config.js";

/** How a context's processes ended. `message`: what the engine said last, when it failed. */
export interface ContextEnd {
  readonly ok: boolean;
  readonly message: string;
}

export interface LocalContextOptions {
  readonly node: string;
  readonly engineScript: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Everything of an engine's configuration that the context itself does not know. */
export type LocalEngineConfig = Omit<EngineConfig, "livenessFd">;

const lastWordsBytes = 4096;

/**
 * One engine on this host, in a session of its own so that a Ctrl-C of the terminal does not reach it.
 *
 * The engine process starts at once, but does nothing before it is told its configuration over a pipe; the end of that
 * pipe tells it that the driver is gone. A second pipe is held by the engine and its guardian only: its end is
 * the proof that both, and so all that they ran, are dead.
 */
export class LocalContext {
  readonly host = hostname();
  readonly #child: ChildProcess;
  readonly #gone: Promise<ContextEnd>;
  #stderr = "";

  constructor(options: LocalContextOptions) {
    this.#child = spawn(options.node, [options.engineScript], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ["pipe", "ignore", "pipe", "pipe"],
    });
    this.#gone = this.#watch();
  }

  /** Tells the engine what to do. */
  begin(config: LocalEngineConfig): void {
    this.#child.stdin?.write(`${JSON.stringify({ ...config, livenessFd } satisfies EngineConfig)}\n`);
  }

  /** Resolves when the engine and its guardian are dead, and with them everything that they ran. */
  get gone(): Promise<ContextEnd> {
    return this.#gone;
  }

  /** Asks the engine to stop its tasks and go, past the store. */
  terminate(): void {
    this.#child.kill("SIGTERM");
  }

  /** Kills the engine; its guardian kills the tasks. For when it did not do so itself when told. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Lets this process end although the engine lives. */
  unref(): void {
    this.#child.unref();
  }

  #watch(): Promise<ContextEnd> {
    const child = this.#child;
    // The engine may be gone already when it is told something: its end says so.
    child.stdin?.on("error", () => undefined);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-lastWordsBytes);
    });
    const exited = new Promise<ContextEnd>((resolve) => {
      child.once("error", (error) =>
        resolve({ ok: false, message: `cannot start an engine: ${error.message}` }),
      );
      child.once("exit", (code, signal) => {
        const how = signal === null ? `exit status ${code}` : `signal ${signal}`;
        // The first words say what was wrong; what follows is for developers.
        const said = this.#stderr.trim().split("\n").slice(0, 2).join(" ").slice(0, 400);
        resolve({
          ok: code === 0,
          message: code === 0 ? "" : `engine ended with ${how}${said && `: ${said}`}`,
        });
      });
    });
    const pipe = child.stdio[livenessFd];
    const allDead = new Promise<void>((resolve) => {
      if (pipe === null || pipe === undefined) return resolve();
      pipe.once("close", () => resolve());
      pipe.on("error", () => undefined);
      if ("resume" in pipe) pipe.resume();
    });
    return Promise.all([exited, allDead]).then(([end]) => end);
  }
}

const livenessFd = 3;
