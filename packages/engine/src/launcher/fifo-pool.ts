import { execFile } from "node:child_process";
import { closeSync, constants as fileConstants, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
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
  readonly #onDirectory: (directory: string) => void;
  #directory: string;
  #made: string[] = [];
  #next = 1;
  #making: Promise<void> | null = null;

  private constructor(directory: string, onDirectory: (directory: string) => void) {
    this.#directory = directory;
    this.#onDirectory = onDirectory;
  }

  /** Throws `LaunchError` where no FIFO can be made. `onDirectory`: another directory than before is to be removed at the end. */
  static async open(onDirectory: (directory: string) => void): Promise<FifoPool> {
    try {
      const pool = new FifoPool(newDirectory(), onDirectory);
      await pool.#make();
      return pool;
    } catch (cause) {
      throw new LaunchError(`no FIFOs can be made in ${tmpdir()}: ${String(cause)}`, { cause });
    }
  }

  get directory(): string {
    return this.#directory;
  }

  /** Both or none. Throws as `#take` does. */
  async takeTwo(): Promise<readonly [Pipe, Pipe]> {
    const first = await this.#take();
    try {
      return [first, await this.#take()];
    } catch (error) {
      closePipe(first);
      throw error;
    }
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** The reader does not block, the writer does. Throws a system error, when there are no descriptors left for example. */
  async #take(): Promise<Pipe> {
    for (;;) {
      while (this.#made.length === 0) await this.#make();
      const path = this.#made.pop() ?? "";
      if (this.#made.length < batch / 2) this.#make().catch(() => undefined);
      const pipe = openFifo(path);
      // Gone, as the others are then.
      if (pipe === null) this.#made = [];
      else return pipe;
    }
  }

  #make(): Promise<void> {
    this.#making ??= this.#makeBatch().finally(() => (this.#making = null));
    return this.#making;
  }

  async #makeBatch(): Promise<void> {
    // Something that tidies up, or somebody, may have removed it: a run may take weeks.
    if (!existsSync(this.#directory)) {
      this.#directory = newDirectory();
      this.#onDirectory(this.#directory);
    }
    const paths = Array.from({ length: batch }, () => join(this.#directory, String(this.#next++)));
    try {
      await run("mkfifo", ["-m", "600", ...paths], { env: { ...process.env, LC_ALL: "C" } });
      this.#made.push(...paths);
    } catch (cause) {
      // Where there was room for some, these are there.
      const made = paths.filter((path) => existsSync(path));
      if (made.length === 0) throw withErrno(cause);
      this.#made.push(...made);
    }
  }
}

/** mkfifo(1) tells by words why it failed. */
function withErrno(cause: unknown): unknown {
  if (!(cause instanceof Error) || "errno" in cause) return cause;
  const { ENOSPC, EDQUOT, EROFS, EIO } = constants.errno;
  const text = cause.message;
  const errno = /No space left/.test(text)
    ? ENOSPC
    : /[Qq]uota/.test(text)
      ? EDQUOT
      : /Read-only/.test(text)
        ? EROFS
        : EIO;
  return Object.assign(new Error(`mkfifo: ${text}`, { cause }), { errno });
}

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), "taskmuster-"));
}

/** Null when it is not there any more. It loses its name. */
function openFifo(path: string): Pipe | null {
  let reader: number | null = null;
  try {
    reader = openSync(path, fileConstants.O_RDONLY | fileConstants.O_NONBLOCK);
    return { reader, writer: openSync(path, fileConstants.O_WRONLY) };
  } catch (error) {
    if (reader !== null) closeSync(reader);
    if (existsSync(path)) throw error;
    return null;
  } finally {
    rmSync(path, { force: true });
  }
}
