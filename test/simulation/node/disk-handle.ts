import { failure } from "./disk-failure.js";
import type { Disk } from "./disk.js";
import type { DiskFile } from "./disk-file.js";

/** As much of a `FileHandle` as is used. */
export class DiskHandle {
  readonly fd: number;
  readonly #disk: Disk;
  readonly #file: DiskFile;
  /** Of a disk that lies: what it said last to be safe. */
  #late: ReturnType<DiskFile["dirty"]> = [];

  constructor(disk: Disk, fd: number) {
    this.#disk = disk;
    this.fd = firstFd + fd;
    this.#file = disk.fileOf(fd);
  }

  async write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }> {
    const { random } = this.#disk;
    let bytesWritten = length;
    await this.#disk.effect((asked) => {
      // It was killed in the middle of it, or there is room for a part.
      if (asked.isDead || this.#disk.isFull) bytesWritten = random.int(length + 1);
      this.#file.write(bytes.subarray(offset, offset + bytesWritten), position);
    });
    if (bytesWritten < length && random.oneIn(2)) throw failure("ENOSPC", "write");
    return { bytesWritten };
  }

  async datasync(): Promise<void> {
    const dirty = this.#file.dirty();
    let failed = false;
    await this.#disk.effect(() => {
      failed = this.#disk.syncFails();
      if (failed) return this.#file.forget(dirty);
      this.#file.sync(this.#disk.liesAboutSync ? this.#late : dirty);
      this.#late = dirty;
    });
    if (failed) throw failure("EIO", "fdatasync");
  }

  async sync(): Promise<void> {
    await this.datasync();
  }

  async truncate(size: number): Promise<void> {
    await this.#disk.effect(() => this.#file.truncate(size));
  }

  async stat(options?: { readonly bigint?: boolean }): Promise<ReturnType<Disk["statSync"]>> {
    await this.#disk.moment();
    return this.#disk.statSync(this.fd - firstFd, options);
  }

  async read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number; readonly buffer: Uint8Array }> {
    await this.#disk.moment();
    const bytes = this.#file.bytes(position, length);
    buffer.set(bytes, offset);
    return { bytesRead: bytes.length, buffer };
  }

  async close(): Promise<void> {
    await this.#disk.moment();
  }
}

/** No real descriptor is as high. */
export const firstFd = 1 << 28;
