import { type FileHandle, open } from "node:fs/promises";
import { TaskmusterError } from "@taskmuster/kvs";

/** Rows cannot be kept: full disk, quota, a file system that went away. A person must act. */
export class StatusFileError extends TaskmusterError {
  override readonly name = "StatusFileError";

  constructor(message: string, options?: ErrorOptions) {
    super("E_STATUS_FILE", message, options);
  }
}

/**
 * The truth about what has finished. Only appended to, by one driver; never truncated except back to the last row
 * that is known to be whole, after a write that failed.
 */
export class StatusFile {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #sync: boolean;
  #goodBytes: number;
  #last: Promise<void> = Promise.resolve();
  #broken: StatusFileError | null = null;
  #unsynced = false;

  private constructor(path: string, file: FileHandle, goodBytes: number, sync: boolean) {
    this.path = path;
    this.#file = file;
    this.#goodBytes = goodBytes;
    this.#sync = sync;
  }

  /** Creates the file, private to the user. Throws `StatusFileError`, also when it exists already. */
  static async create(path: string, options: { readonly sync: boolean }): Promise<StatusFile> {
    try {
      return new StatusFile(path, await open(path, "wx", 0o600), 0, options.sync);
    } catch (cause) {
      if (codeOf(cause) === "EEXIST") {
        throw new StatusFileError(
          `${path} exists already, and a status file is never overwritten. ` +
            `Choose another prefix with -p, or go on with that run: -r ${path}`,
          { cause },
        );
      }
      throw new StatusFileError(`cannot create the status file ${path}: ${reasonOf(cause)}`, { cause });
    }
  }

  /**
   * Resolves when `rows` are on disk; without `sync`, when they are on their way, which is good enough for what stands elsewhere
   * too. After a failure this and every later call rejects with `StatusFileError`.
   */
  append(rows: Uint8Array, options: { readonly sync: boolean } = { sync: true }): Promise<void> {
    this.#last = this.#last.then(() => this.#append(rows, options.sync));
    return this.#last;
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    // All that counts is there; this is for what was copied.
    if (this.#unsynced) await this.#file.datasync().catch(() => undefined);
    await this.#file.close();
  }

  async #append(rows: Uint8Array, sync: boolean): Promise<void> {
    if (this.#broken !== null) throw this.#broken;
    try {
      let written = 0;
      while (written < rows.byteLength) {
        const { bytesWritten } = await this.#file.write(
          rows,
          written,
          rows.byteLength - written,
          this.#goodBytes + written,
        );
        written += bytesWritten;
      }
      if (this.#sync && sync) await this.#file.datasync();
      this.#unsynced = this.#sync && !sync;
      this.#goodBytes += rows.byteLength;
    } catch (cause) {
      this.#broken = new StatusFileError(
        `cannot write the status file ${this.path}: ${reasonOf(cause)}. What ended since is not recorded there`,
        { cause },
      );
      // Half a row, or rows that a later sync would claim to have kept, must not stay.
      await this.#file.truncate(this.#goodBytes).catch(() => undefined);
      throw this.#broken;
    }
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** The words of the system for an error, without Node's decoration. */
export function reasonOf(error: unknown): string {
  switch (codeOf(error)) {
    case "ENOSPC":
      return "no space left on the device";
    case "EDQUOT":
      return "the disk quota is exceeded";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ENOENT":
      return "no such file or directory";
    case "EISDIR":
      return "it is a directory";
    case "ENOTDIR":
      return "a part of the path is not a directory";
    case "EROFS":
      return "the file system is read-only";
    case "ENAMETOOLONG":
      return "the name is too long";
    case "EFBIG":
      return "the file is too large";
    default:
      return error instanceof Error ? withoutDecoration(error.message) : String(error);
  }
}

/** Of `EMFILE: too many open files, open 'X'` the words in the middle. */
function withoutDecoration(message: string): string {
  return /^E[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
}
