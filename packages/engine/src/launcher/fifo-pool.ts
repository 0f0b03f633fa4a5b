import { execFile } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { LaunchError } from "./launch-error.js";

const run = promisify(execFile);

/** So many are made by one mkfifo(1); more are made when half of them are used. */
const batch = 64;

export interface Pipe {
  readonly reader: number;
  readonly writer: number;
}

export function closePipe({ reader, writer }: Pipe): void {
  closeSync(reader);
  closeSync(writer);
}

/**
 * Pipes as descriptors, which Node itself cannot make: what it calls a pipe is a socket, and a task that opens /dev/stdout or
 * /dev/stderr by name cannot open a socket. Each is a FIFO that loses its name as soon as both ends are open.
 */
export class FifoPool {
  readonly directory: string;
  readonly #made: string[] = [];
  #next = 1;
  #making: Promise<void> | null = null;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Throws `LaunchError` where no FIFO can be made. */
  static async open(): Promise<FifoPool> {
    try {
      const pool = new FifoPool(mkdtempSync(join(tmpdir(), "taskmuster-")));
      await pool.#make();
      return pool;
    } catch (cause) {
      throw new LaunchError(`no FIFOs can be made in ${tmpdir()}: ${String(cause)}`, { cause });
    }
  }

  /** The reader does not block, the writer does. Throws a system error when there are no descriptors left. */
  async take(): Promise<Pipe> {
    while (this.#made.length === 0) await this.#make();
    const path = this.#made.pop() ?? "";
    if (this.#made.length < batch / 2) this.#make().catch(() => undefined);
    try {
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        return { reader, writer: openSync(path, constants.O_WRONLY) };
      } catch (error) {
        closeSync(reader);
        throw error;
      }
    } finally {
      unlinkSync(path);
    }
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #make(): Promise<void> {
    this.#making ??= this.#makeBatch().finally(() => (this.#making = null));
    return this.#making;
  }

  async #makeBatch(): Promise<void> {
    const paths = Array.from({ length: batch }, () => join(this.directory, String(this.#next++)));
    await run("mkfifo", ["-m", "600", ...paths]);
    this.#made.push(...paths);
  }
}
