import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type ErrorCode, TaskmusterError } from "@taskmuster/kvs";
import type { KvsAddress } from "@taskmuster/kvs/server";
import type { RunSummary } from "./public.js";
import { isAddress, isSummary, parseLine } from "./driver-lines.js";

export interface ChildOptions {
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** As `bin/driver` has them. */
const heap = ["--max-semi-space-size=8", "--max-old-space-size=512"];
const mostLastWords = 4_000;

/** A driver that ends with this program: it reads the end of its standard input. */
export class DriverChild {
  /** Rejects with `TaskmusterError` when the driver ends before. */
  readonly address: Promise<KvsAddress>;
  /** Resolves when it has ended, however it did. */
  readonly ended: Promise<RunSummary>;
  readonly #child: ChildProcess;
  #isReady = false;
  #summary: RunSummary | null = null;
  #lastWords = "";

  constructor({ args, cwd, env }: ChildOptions) {
    const script = fileURLToPath(new URL("driver.js", import.meta.url));
    const all = [...heap, script, "--taskserver", "--embedded", "--json", ...args];
    this.#child = spawn(process.execPath, all, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on("error", () => undefined);
    stderr?.setEncoding("utf8").on("data", (text: string) => this.#onWords(text));
    let ready: (address: KvsAddress) => void = () => undefined;
    let failed: (error: Error) => void = () => undefined;
    this.address = new Promise((resolve, reject) => {
      ready = resolve;
      failed = reject;
    });
    this.address.catch(() => undefined);
    if (stdout !== null) {
      createInterface({ input: stdout, crlfDelay: Infinity }).on("line", (line) => {
        const value = parseLine(line);
        if (isAddress(value)) {
          this.#isReady = true;
          ready(value);
        } else if (isSummary(value)) this.#summary = value;
      });
    }
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        failed(this.#startError(how));
        resolve(this.#summary ?? { reason: "error", message: `the driver ended without a word (${how})` });
      };
      this.#child.once("error", (error) => end(error.message));
      this.#child.once("close", (code, signal) => end(signal ?? `exit status ${code ?? "unknown"}`));
    });
  }

  /** It stops what runs and ends. */
  stop(): void {
    this.#child.stdin?.end();
  }

  /** What it says while it starts is told with the error. */
  #onWords(text: string): void {
    if (this.#isReady) process.stderr.write(text);
    this.#lastWords = (this.#lastWords + text).slice(-mostLastWords);
  }

  #startError(how: string): TaskmusterError {
    const code: ErrorCode = this.#summary?.["code"] === "E_USAGE" ? "E_USAGE" : "E_LAUNCH";
    const why = this.#summary?.message ?? this.#lastWords.trim();
    return new TaskmusterError(
      code,
      `the driver could not start (${how}): ${why === "" ? "it said nothing" : why}`,
    );
  }
}
