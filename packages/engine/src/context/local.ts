import type { ChildProcess } from "node:child_process";
import { killProcess, startProcess } from "@taskmuster/kvs";
import { constants, hostname } from "node:os";
import { LastWords, engineWords } from "../core/last-words.js";
import type { NodePlan } from "../core/node-plan.js";
import {
  type BegunConfig,
  type ContextMethod,
  type EngineEnd,
  type EngineHandle,
  type EngineProgram,
  configLine,
  livenessFd,
} from "./engine-handle.js";

/** Starts engines on this host. */
export class LocalMethod implements ContextMethod {
  readonly kind = "local";
  readonly #program: EngineProgram;

  constructor(program: EngineProgram) {
    this.#program = program;
  }

  launch(_plan: NodePlan): EngineHandle {
    return new LocalEngine(this.#program);
  }
}

/**
 * One engine on this host, in a session of its own so that a Ctrl-C of the terminal does not reach it.
 *
 * The engine process starts at once, but does nothing before it is told its configuration over a pipe; the end of that
 * pipe tells it that the driver is gone. A second pipe is held by the engine and its guardian only: its end is
 * the proof that both, and so all that they ran, are dead.
 */
class LocalEngine implements EngineHandle {
  readonly host = hostname();
  readonly gone: Promise<EngineEnd>;
  readonly #child: ChildProcess;
  readonly #words = new LastWords();
  #begun = false;

  constructor({ node, engineScript, cwd, env }: EngineProgram) {
    this.#child = startProcess(node, [engineScript], {
      cwd,
      env,
      detached: true,
      stdio: ["pipe", "ignore", "pipe", "pipe"],
    });
    this.gone = this.#watch();
  }

  begin(config: BegunConfig): void {
    this.#begun = true;
    this.#child.stdin?.write(configLine(config));
  }

  terminate(): void {
    // Before it knows what to do, the end of its input makes it go.
    if (this.#begun) killProcess(this.#child, "SIGTERM");
    else this.#child.stdin?.end();
  }

  kill(): void {
    killProcess(this.#child, "SIGKILL");
  }

  #watch(): Promise<EngineEnd> {
    const child = this.#child;
    // The engine may be gone already when it is told something: its end says so.
    child.stdin?.on("error", () => undefined);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#words.add(text));
    const exited = new Promise<EngineEnd>((resolve) => {
      child.once("error", (error) =>
        resolve({
          ok: false,
          message: `cannot start an engine: ${error.message}`,
          proven: true,
          exitStatus: 127,
        }),
      );
      child.once("exit", (code, signal) => resolve(this.#ended(code, signal)));
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

  #ended(code: number | null, signal: NodeJS.Signals | null): EngineEnd {
    if (code === 0) return { ok: true, message: "", proven: true, exitStatus: 0 };
    const how = signal === null ? `exit status ${code}` : `signal ${signal}`;
    const said = engineWords(this.#words.lines);
    const exitStatus = signal === null ? (code ?? 1) : -constants.signals[signal];
    return {
      ok: false,
      message: `engine ended with ${how}${said && `: ${said}`}`,
      proven: true,
      exitStatus,
    };
  }
}
