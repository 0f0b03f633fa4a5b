import { type BigIntStats, fstatSync, statSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { constants } from "node:os";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { TaskmusterError } from "@taskmuster/kvs";

/** Rows cannot be kept: full disk, quota, a file system that went away. A person must act. */
export class StatusFileError extends TaskmusterError {
  override readonly name = "StatusFileError";
  /** The same may work later: there may be room again, or the file server be back. */
  readonly mayHeal: boolean;

  constructor(message: string, options: ErrorOptions & { readonly mayHeal?: boolean } = {}) {
    super("E_STATUS_FILE", message, options);
    this.mayHeal = options.mayHeal ?? false;
  }
}

/**
 * The truth about what has finished. Only appended to, by one driver; never truncated except back to the last row
 * that is known to be on disk, after a write or sync that failed. That is not simply synced once more: the kernel drops what it
 * could not write, and then says that all is well. So what is not known to be on disk is kept here, and written again.
 */
export class StatusFile {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #sync: boolean;
  /** Dev and inode; null: here they mean nothing. */
  readonly #identity: string | null;
  /** Its name is in the directory for good. */
  readonly #named: Promise<void>;
  /** So many bytes are on disk. */
  #goodBytes: number;
  /** Behind them, written and not synced; a copy. */
  #unsynced: Uint8Array | null = null;
  #unsyncedBytes = 0;
  /** What stands behind the good bytes is not known. */
  #torn = false;
  #lookAt = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(path: string, file: FileHandle, goodBytes: number, sync: boolean) {
    this.path = path;
    this.#file = file;
    this.#goodBytes = goodBytes;
    this.#sync = sync;
    // Where a file has another number each time it is asked for, that tells nothing.
    const identity = textOf(fstatSync(file.fd, { bigint: true }));
    this.#identity = identity === textOf(statSync(path, { bigint: true })) ? identity : null;
    this.#named = sync ? syncDirectory(dirname(path)) : Promise.resolve();
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

  /** Length of what was appended. */
  get bytes(): number {
    return this.#goodBytes + this.#unsyncedBytes;
  }

  /** Goes on with a file that has so many bytes, all of them whole rows. */
  static goOn(
    path: string,
    file: FileHandle,
    goodBytes: number,
    options: { readonly sync: boolean },
  ): StatusFile {
    return new StatusFile(path, file, goodBytes, options.sync);
  }

  /**
   * Resolves when `rows` are on disk; without `sync`, when they are on their way, which is good enough for what stands elsewhere
   * too. Rejects with `StatusFileError`; then none of `rows` counts, and the same call may be made again.
   */
  append(rows: Uint8Array, options: { readonly sync: boolean } = { sync: true }): Promise<void> {
    const appended = this.#last.then(() => this.#append(rows, options.sync));
    this.#last = appended.catch(() => undefined);
    return appended;
  }

  /** Brings to disk what was appended without `sync`. Rejects as `append` does. */
  flush(): Promise<void> {
    return this.append(new Uint8Array(0));
  }

  /** A file server that is away may never let it close: nobody waits for that. */
  async close(): Promise<void> {
    // All that counts is on disk already.
    const closed = this.#last.then(() => this.#file.close()).catch(() => undefined);
    await Promise.race([closed, delay(closeMs, undefined, { ref: false })]);
  }

  async #append(rows: Uint8Array, sync: boolean): Promise<void> {
    try {
      if (this.#torn) await this.#mend();
      await this.#write(rows, this.bytes);
      // What has to be kept here until it is synced must not grow without bound.
      const later = !sync && this.#unsyncedBytes + rows.byteLength <= mostUnsyncedBytes;
      if (!this.#sync) this.#goodBytes += rows.byteLength;
      else if (later) {
        this.#keep(rows);
      } else await this.#syncUpTo(this.bytes + rows.byteLength);
      await this.#look(performance.now());
    } catch (cause) {
      if (cause instanceof StatusFileError) throw cause;
      this.#torn = true;
      // A reader that comes now shall find whole rows; and if the driver dies, so shall the next one.
      await this.#file.truncate(this.#goodBytes).catch(() => undefined);
      await this.#look(Number.POSITIVE_INFINITY);
      throw new StatusFileError(`cannot write the status file ${this.path}: ${reasonOf(cause)}`, {
        cause,
        mayHeal: !neverHeals.has(codeOf(cause)),
      });
    }
  }

  async #syncUpTo(bytes: number): Promise<void> {
    await this.#named;
    await this.#file.datasync();
    this.#goodBytes = bytes;
    this.#unsyncedBytes = 0;
  }

  #keep(rows: Uint8Array): void {
    this.#unsynced ??= new Uint8Array(mostUnsyncedBytes);
    this.#unsynced.set(rows, this.#unsyncedBytes);
    this.#unsyncedBytes += rows.byteLength;
  }

  /** Back to what is known, and from there on. */
  async #mend(): Promise<void> {
    await this.#file.truncate(this.#goodBytes);
    if (this.#unsynced !== null)
      await this.#write(this.#unsynced.subarray(0, this.#unsyncedBytes), this.#goodBytes);
    this.#torn = false;
  }

  async #write(rows: Uint8Array, position: number): Promise<void> {
    for (let written = 0; written < rows.byteLength;) {
      const left = rows.byteLength - written;
      const { bytesWritten } = await this.#file.write(rows, written, left, position + written);
      written += bytesWritten;
    }
  }

  /** Once a second: rows that go where nobody finds them are not recorded. Throws `StatusFileError`. */
  async #look(now: number): Promise<void> {
    if (this.#identity === null || now < this.#lookAt) return;
    this.#lookAt = performance.now() + lookEveryMs;
    const there = await identityAt(this.path);
    if (there === this.#identity || there === "unknown") return;
    const what =
      there === "none" ? "has been removed, or moved elsewhere" : "has been replaced by another file";
    throw new StatusFileError(`the status file ${this.path} ${what}: what ends now cannot be recorded in it`);
  }
}

/** `unknown`: it cannot be told. */
async function identityAt(path: string): Promise<string> {
  try {
    return textOf(await stat(path, { bigint: true }));
  } catch (error) {
    return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR" ? "none" : "unknown";
  }
}

function textOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** A file that was just made may be nameless after a crash of the host, whatever was synced of it. */
async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch {
    // Not every file system can; those that cannot do not need it.
  }
}

/** What is wrong with the file as it was opened, and stays so. */
const neverHeals: ReadonlySet<string> = new Set(["", "EBADF", "EINVAL", "EFBIG", "ESPIPE", "ESTALE"]);
const mostUnsyncedBytes = 8 * 1024 * 1024;
const lookEveryMs = 1_000;
const closeMs = 3_000;

export function codeOf(error: unknown): string {
  if (!(error instanceof Error && "code" in error && typeof error.code === "string")) return "";
  // Node has no names for some that matter here (EDQUOT, ESTALE), though it knows their numbers.
  if (!error.code.startsWith("Unknown system error") || !("errno" in error)) return error.code;
  const number = -Number(error.errno);
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? error.code;
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
    case "EIO":
      return "input/output error";
    case "ESTALE":
      return "the file server does not know the file any more";
    default:
      return error instanceof Error ? withoutDecoration(error.message) : String(error);
  }
}

/** Of `EMFILE: too many open files, open 'X'` the words in the middle. */
function withoutDecoration(message: string): string {
  return /^E[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
}
