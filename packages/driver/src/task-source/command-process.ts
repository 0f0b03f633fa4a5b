import type { ChildProcess } from "node:child_process";
import { startProcess } from "@taskmuster/kvs";

export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface CommandOptions {
  readonly command: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Between TERM and KILL. */
  readonly graceMs: number;
  /** What it writes, on either stream. */
  readonly onOutput: (text: Uint8Array) => void;
}

const mostLastWords = 2_000;

/** The command that generates tasks, in a session of its own. */
export class CommandProcess {
  /** Resolves when it has ended; what it had started may still be there. */
  readonly gone: Promise<CommandEnd>;
  readonly #child: ChildProcess;
  readonly #options: CommandOptions;
  #end: CommandEnd | null = null;
  #lastWords = Buffer.alloc(0);

  constructor(options: CommandOptions) {
    this.#options = options;
    const { command, cwd, env } = options;
    this.#child = startProcess("/bin/sh", ["-c", command], {
      cwd,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (text: Buffer) => this.#onOutput(text));
    this.gone = new Promise((resolve) => {
      const end = (how: CommandEnd): void => {
        this.#end ??= how;
        resolve(this.#end);
      };
      this.#child.once("error", (error) => {
        this.#onOutput(Buffer.from(`${error.message}\n`));
        end({ code: null, signal: null });
      });
      // What it wrote last arrives before "close"; but a child that it left behind may hold the pipes for ever.
      this.#child.once("exit", (code, signal) => {
        const timer = setTimeout(() => end({ code, signal }), 200);
        this.#child.once("close", () => {
          clearTimeout(timer);
          end({ code, signal });
        });
      });
    });
  }

  get isGone(): boolean {
    return this.#end !== null;
  }

  /** `exit status 3`, `SIGKILL`; as far as it is known. */
  get howItEnded(): string {
    const { code, signal } = this.#end ?? { code: null, signal: null };
    return signal ?? (code === null ? "it could not be started" : `exit status ${code}`);
  }

  /** The last lines that it wrote. */
  get lastWords(): string {
    return this.#lastWords.toString().trimEnd().split("\n").slice(-5).join("\n");
  }

  /** Stops it and what it has started in its session: TERM, the grace, KILL. Resolves when it is gone. Twice is fine. */
  async stop(): Promise<void> {
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), this.#options.graceMs);
    await this.gone;
    clearTimeout(timer);
    // What it leaves behind has had its chance with it.
    this.#signal("SIGKILL");
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || pid <= 1) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // Nobody of its group is left.
    }
  }

  #onOutput(text: Buffer): void {
    this.#lastWords = Buffer.concat([this.#lastWords, text]).subarray(-mostLastWords);
    this.#options.onOutput(text);
  }
}
