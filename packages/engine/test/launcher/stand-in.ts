import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { ParentOrders } from "./parent.js";
import { until } from "./rig.js";

/** parent.ts as one file. */
export async function bundleParent(): Promise<{ readonly script: string; readonly remove: () => void }> {
  const directory = mkdtempSync(join(tmpdir(), "launcher-parent-"));
  const script = join(directory, "parent.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("parent.ts", import.meta.url))],
    outfile: script,
    bundle: true,
    platform: "node",
    format: "esm",
    loader: { ".pl": "text", ".sh": "text" },
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: "error",
  });
  return { script, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

export interface EngineOptions {
  /** Becomes its descriptor 3. */
  readonly fd?: number;
  readonly ownGroup?: boolean;
  /** A bash text that ends in `exec "$@"`. */
  readonly shell?: string;
}

/** parent.ts as a process. */
export class Engine {
  readonly said: string[] = [];
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;

  constructor(script: string, orders: ParentOrders, { fd, ownGroup, shell }: EngineOptions) {
    const command = [process.execPath, script, JSON.stringify(orders)];
    const [file = "", ...args] = shell === undefined ? command : ["bash", "-c", shell, "engine", ...command];
    this.#child = spawn(file, args, {
      stdio: ["pipe", "pipe", "inherit", ...(fd === undefined ? [] : [fd])],
      detached: ownGroup === true,
    });
    this.#gone = new Promise((resolve) => this.#child.once("close", resolve));
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on("line", (line) => this.said.push(line));
    }
    this.#child.stdin?.on("error", () => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get launcherPid(): Promise<number> {
    return until("the launcher's pid", () => /^\{"launcher":(\d+)/.exec(this.said[0] ?? "")?.[1]).then(
      Number,
    );
  }

  /** Tags. */
  get recalled(): readonly number[] {
    return this.said.flatMap((line) => {
      const tags = /^\{"recalled":\[([\d,]+)\]/.exec(line)?.[1];
      return tags === undefined ? [] : tags.split(",").map(Number);
    });
  }

  /** From now on its deadline runs. */
  async letDeadlineRun(): Promise<void> {
    this.#child.stdin?.write("\n");
    await until("its deadline is set", () => this.said.includes('"deadline"'));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(): Promise<void> {
    this.#child.kill("SIGCONT");
    this.#child.stdin?.end();
    await this.#gone;
  }
}

export function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** Of a FIFO opened without waiting: nobody has it open for writing any more. */
export function atEnd(reader: number): boolean {
  try {
    return readSync(reader, Buffer.alloc(1)) === 0;
  } catch {
    return false;
  }
}
