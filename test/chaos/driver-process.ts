import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { signal } from "./processes.js";

export const bin = fileURLToPath(new URL("../../bin/driver", import.meta.url));

/** Why a driver may give up although the list is not done: somebody has to go on with the run then. */
const passing: readonly (readonly [RegExp, string])[] = [
  [/Another driver has taken this run over/, "replaced"],
  [/is at work: process \d+ on this host/, "the old driver is at work"],
  [/another recovery of .* is at work/, "another recovery is at work"],
  [/cannot reach the run's key-value store|cannot use the key-value store/, "the store cannot be reached"],
  [/went out of its key-value store while|went away while the run was taken over/, "the store went away"],
  [/private Redis server (is lost|died)|cannot start (a|the) private server/, "the private store is lost"],
];

/** One driver, and what it says. */
export class DriverProcess {
  readonly args: readonly string[];
  readonly #child: ChildProcess;
  #words = "";

  /** `onEnd`: it has ended, and was not killed. */
  constructor(
    args: readonly string[],
    place: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
    onEnd: (driver: DriverProcess, code: number | null) => void,
  ) {
    this.args = args;
    const child = spawn(bin, args, { ...place, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#words = (this.#words + text).slice(-4_000);
      });
    child.once("close", (code, bySignal) => {
      if (bySignal !== "SIGKILL") onEnd(this, code);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get words(): string {
    return this.#words;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** There was nothing left to recover: another one had ended the run, and died. */
  get cameTooLate(): boolean {
    return /has ended \(finished/.test(this.#words);
  }

  /** Why it gave up; null: not for a reason that passes. */
  get reason(): string | null {
    return passing.find(([pattern]) => pattern.test(this.#words))?.[1] ?? null;
  }

  /** Whether it gave up because of that one. */
  yieldedTo({ pid }: DriverProcess): boolean {
    return this.#words.includes(`is at work: process ${pid} on`);
  }

  /** Resolves when it is dead. */
  async kill(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once("close", resolve));
    if (this.pid === undefined || !this.isAlive) return;
    signal(this.pid, "SIGKILL");
    await closed;
  }
}
