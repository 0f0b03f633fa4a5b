import { constants } from "node:fs";
import type { Random } from "../../fuzz/random.js";
import type { Clockwork } from "../time/clockwork.js";
import type { SimProcess } from "../time/process.js";
import { DiskFile } from "./disk-file.js";
import { failure } from "./disk-failure.js";
import { DiskHandle } from "./disk-handle.js";

interface Patience {
  readonly usualMs: number;
  readonly until: number;
}

/** What `stat` tells that anybody asks for. */
interface Stat {
  readonly size: number | bigint;
  readonly dev: number | bigint;
  readonly ino: number | bigint;
  readonly uid: number | bigint;
  isFile(): boolean;
  isCharacterDevice(): boolean;
}

/**
 * A disk that can be slow or full, fails to sync, and loses what was not synced when its machine loses power. As much of one as status
 * files, ledgers and logs need.
 */
export class Disk {
  readonly #clockwork: Clockwork;
  readonly #random: Random;
  readonly #files = new Map<string, DiskFile>();
  readonly #fds: DiskFile[] = [];
  /** Inodes that there have been. */
  #numbers = 0;
  /** A planted bug: answers a sync before anything is safe. */
  readonly #liesAboutSync: boolean;
  #slow: Patience = { usualMs: 0, until: 0 };
  #fullUntil = 0;
  #syncFails = false;
  #hasFailed = false;

  constructor(clockwork: Clockwork, random: Random, options: { readonly liesAboutSync: boolean }) {
    this.#clockwork = clockwork;
    this.#random = random;
    this.#liesAboutSync = options.liesAboutSync;
  }

  /** Whatever takes a moment takes so long, for a while. */
  slow(usualMs: number, forMs: number): void {
    this.#slow = { usualMs, until: this.#clockwork.now + forMs };
  }

  /** What was not synced is lost, or a part of it. */
  losePower(): void {
    for (const file of this.#files.values()) file.losePower(this.#random);
  }

  /** There is no room, for so long. */
  fill(forMs: number): void {
    this.#hasFailed = true;
    this.#fullUntil = Math.max(this.#fullUntil, this.#clockwork.now + forMs);
  }

  /** The next sync fails, and what it was about is lost without another word. */
  failNextSync(): void {
    this.#hasFailed = true;
    this.#syncFails = true;
  }

  exists(path: string): boolean {
    return this.#files.has(path);
  }

  file(path: string): DiskFile | null {
    return this.#files.get(path) ?? null;
  }

  async open(path: string, flags: string | number): Promise<DiskHandle> {
    await this.moment();
    return new DiskHandle(this, this.openSync(path, flags));
  }

  /** Whoever has the other file open still has it; it has no name any more. */
  async rename(from: string, to: string): Promise<void> {
    await this.effect(() => {
      const file = this.#files.get(from);
      if (file === undefined) return;
      this.#files.delete(from);
      this.#files.set(to, file);
    });
  }

  async remove(path: string): Promise<void> {
    await this.effect(() => void this.#files.delete(path));
  }

  openSync(path: string, flags: string | number): number {
    return this.#fds.push(this.#find(path, flags)) - 1;
  }

  writeSync(fd: number, data: string | Uint8Array, from = 0): number {
    const bytes = (typeof data === "string" ? Buffer.from(data) : data).subarray(from);
    if (this.isFull) throw failure("ENOSPC", "write");
    const file = this.fileOf(fd);
    file.write(bytes, file.size);
    return bytes.length;
  }

  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number {
    const bytes = this.fileOf(fd).bytes(position, length);
    buffer.set(bytes, offset);
    return bytes.length;
  }

  truncateSync(fd: number, size: number): void {
    this.fileOf(fd).truncate(size);
  }

  syncSync(fd: number): void {
    const file = this.fileOf(fd);
    const dirty = file.dirty();
    if (this.syncFails()) {
      file.forget(dirty);
      throw failure("EIO", "fdatasync");
    }
    file.sync(dirty);
  }

  statSync(of: string | number, options: { readonly bigint?: boolean } = {}): Stat {
    const file = typeof of === "number" ? this.fileOf(of) : this.#files.get(of);
    if (file === undefined) throw failure("ENOENT", `stat '${of}'`);
    const number = (value: number): number | bigint => (options.bigint === true ? BigInt(value) : value);
    return {
      size: number(file.size),
      dev: number(1),
      ino: number(file.number),
      uid: number(process.getuid?.() ?? 0),
      isFile: () => true,
      isCharacterDevice: () => false,
    };
  }

  /** Ever. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  get isFull(): boolean {
    return this.#clockwork.now < this.#fullUntil;
  }

  /** Whether the sync under way does. */
  syncFails(): boolean {
    const fails = this.#syncFails;
    this.#syncFails = false;
    return fails;
  }

  /** Waits as long as the disk takes now. The process that waits may be gone before. */
  async moment(): Promise<SimProcess> {
    const process = this.#clockwork.current;
    if (process === null) throw new Error("only processes use files");
    await new Promise<void>((resolve) => {
      this.#clockwork.after(this.#delayMs(), process, resolve);
    });
    return process;
  }

  /** Does something to a file, in a moment, whether the process that asked for it is still there or not; and tells it in another one. */
  effect(act: (asked: SimProcess) => void): Promise<void> {
    const process = this.#clockwork.current;
    if (process === null) throw new Error("only processes use files");
    return new Promise((resolve) => {
      this.#clockwork.after(this.#delayMs(), null, () => {
        act(process);
        this.#clockwork.after(0.05, process, resolve);
      });
    });
  }

  get liesAboutSync(): boolean {
    return this.#liesAboutSync;
  }

  get random(): Random {
    return this.#random;
  }

  #delayMs(): number {
    const { usualMs, until } = this.#slow;
    const usual = this.#clockwork.now < until ? usualMs : 1;
    return usual * (0.5 + this.#random.int(1000) / 1000);
  }

  fileOf(fd: number): DiskFile {
    const file = this.#fds[fd];
    if (file === undefined) throw new Error(`no open file ${fd}`);
    return file;
  }

  #find(path: string, mode: string | number): DiskFile {
    const flags = typeof mode === "string" ? mode : flagsOf(mode);
    const found = this.#files.get(path);
    if (found !== undefined && flags.includes("x")) throw failure("EEXIST", `open '${path}'`);
    if (found !== undefined) return found;
    const isDirectory = path === diskRoot.slice(0, -1);
    if (flags.startsWith("r") && !isDirectory) throw failure("ENOENT", `open '${path}'`);
    const file = new DiskFile(this.#numbers++);
    this.#files.set(path, file);
    return file;
  }
}

function flagsOf(mode: number): string {
  if ((mode & constants.O_CREAT) === 0) return "r";
  return (mode & constants.O_EXCL) === 0 ? "a" : "wx";
}

/** Files whose names begin so are the simulation's. */
export const diskRoot = "/simulated/";
