import crypto from "node:crypto";
import fs from "node:fs";
import fsPromises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import timersPromises from "node:timers/promises";
import type { Random } from "../../fuzz/random.js";
import type { Clockwork } from "../time/clockwork.js";
import type { SimProcess } from "../time/process.js";
import { type Disk, diskRoot } from "./disk.js";
import { firstFd } from "./disk-handle.js";
import { VirtualTimer } from "./virtual-timer.js";

/** What the real shells of driver and engine take from Node, as a simulated process has it. */
export interface Node {
  readonly clockwork: Clockwork;
  readonly disk: Disk;
  /** For `randomBytes`. */
  readonly random: Random;
  /** A process that takes the clock on the wall for one that only grows: a planted bug. */
  readonly trustsWall?: (process: SimProcess) => boolean;
}

let node: Node | null = null;
let installed = 0;

/**
 * From now on, and until the function that it answers is called, whoever runs in a step of a simulated process finds its clocks, timers, files
 * and random numbers where Node's would be. Everybody else finds Node's.
 *
 * The loops of driver and engine so run as they are, and not a model of them.
 */
export function virtualise(of: Node): () => void {
  if (node !== null) throw new Error("one simulation at a time");
  node = of;
  if (installed++ === 0) install();
  return () => {
    node = null;
  };
}

function here(): { readonly process: SimProcess; readonly node: Node } | null {
  const process = node?.clockwork.current ?? null;
  return node === null || process === null ? null : { process, node };
}

type Callback = (...args: readonly unknown[]) => void;

function install(): void {
  const real = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, now: Date.now };
  const realMonotonic = performance.now.bind(performance);

  const start =
    (repeats: boolean, otherwise: unknown) =>
    (callback: Callback, ms = 1, ...args: readonly unknown[]): unknown => {
      const at = here();
      if (at === null) return Reflect.apply(otherwise as Callback, globalThis, [callback, ms, ...args]);
      return new VirtualTimer(at.node.clockwork, at.process, () => callback(...args), ms, repeats);
    };
  const clear =
    (otherwise: Callback) =>
    (timer: unknown): void => {
      if (timer instanceof VirtualTimer) timer.close();
      else otherwise(timer);
    };
  Object.assign(globalThis, {
    setTimeout: start(false, real.setTimeout),
    setInterval: start(true, real.setInterval),
    clearTimeout: clear(real.clearTimeout as Callback),
    clearInterval: clear(real.clearInterval as Callback),
    setImmediate: (callback: Callback, ...args: readonly unknown[]) => {
      const at = here();
      if (at === null) return real.setImmediate(callback, ...args);
      return at.node.clockwork.after(0, at.process, () => callback(...args));
    },
  });
  Date.now = () => {
    const at = here();
    return at === null ? real.now() : at.process.host.wall(at.node.clockwork.now);
  };
  Object.defineProperty(performance, "now", {
    configurable: true,
    value: () => {
      const at = here();
      if (at === null) return realMonotonic();
      const { host } = at.process;
      const { now } = at.node.clockwork;
      return at.node.trustsWall?.(at.process) === true ? host.wall(now) : host.monotonic(now);
    },
  });
  const { pid } = process;
  Object.defineProperty(process, "pid", {
    configurable: true,
    enumerable: true,
    get: () => here()?.process.pid ?? pid,
  });
  installDelay();
  installCrypto();
  installFiles();
  syncBuiltinESMExports();
}

function installDelay(): void {
  const real = timersPromises.setTimeout;
  const virtual = (ms = 1, value?: unknown, options: { readonly signal?: AbortSignal } = {}): unknown => {
    const at = here();
    if (at === null) return real(ms, value, options);
    const { signal } = options;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        timer.close();
        reject(new DOMException("The operation was aborted", "AbortError"));
      };
      const timer = new VirtualTimer(
        at.node.clockwork,
        at.process,
        () => {
          signal?.removeEventListener("abort", abort);
          resolve(value);
        },
        ms,
        false,
      );
      if (signal?.aborted === true) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
  };
  const realTurn = timersPromises.setImmediate;
  const turn = (value?: unknown, options?: object): unknown => {
    const at = here();
    if (at === null) return realTurn(value, options);
    return new Promise((resolve) => {
      at.node.clockwork.after(0, at.process, () => resolve(value));
    });
  };
  Object.assign(timersPromises, { setTimeout: virtual, setImmediate: turn });
}

function installCrypto(): void {
  const real = crypto.randomBytes;
  Object.assign(crypto, {
    randomBytes: (size: number, ...rest: readonly unknown[]): unknown => {
      const at = here();
      if (at === null) return Reflect.apply(real, crypto, [size, ...rest]);
      return Buffer.from(Array.from({ length: size }, () => at.node.random.int(256)));
    },
  });
}

function installFiles(): void {
  const isOurs = (file: unknown): boolean =>
    typeof file === "string" ? `${file}/`.startsWith(diskRoot) : typeof file === "number" && file >= firstFd;
  const route = (module: object, name: string, ours: (disk: Disk, ...args: never[]) => unknown): void => {
    const real = Reflect.get(module, name) as Callback;
    const virtual = (...args: readonly unknown[]): unknown => {
      const at = here();
      const [of, ...others] = args;
      if (at === null || !isOurs(of)) return Reflect.apply(real, module, args);
      const file = typeof of === "number" ? of - firstFd : of;
      return ours(at.node.disk, ...([file, ...others] as never[]));
    };
    Reflect.set(module, name, virtual);
  };
  route(fsPromises, "open", (disk, path: string, flags: string | number) => disk.open(path, flags));
  route(fsPromises, "stat", async (disk, path: string, options?: object) => {
    await disk.moment();
    return disk.statSync(path, options);
  });
  route(fsPromises, "rename", (disk, from: string, to: string) => disk.rename(from, to));
  route(fsPromises, "rm", (disk, path: string) => disk.remove(path));
  route(fs, "readFileSync", (disk, path: string) => disk.file(path)?.bytes().toString() ?? "");
  route(fs, "openSync", (disk, path: string, flags: string | number) => firstFd + disk.openSync(path, flags));
  route(fs, "closeSync", () => undefined);
  route(fs, "fchmodSync", () => undefined);
  route(fs, "fdatasyncSync", (disk, fd: number) => disk.syncSync(fd));
  route(fs, "fsyncSync", (disk, fd: number) => disk.syncSync(fd));
  route(fs, "ftruncateSync", (disk, fd: number, size: number) => disk.truncateSync(fd, size));
  route(fs, "writeSync", (disk, ...args: Parameters<Disk["writeSync"]>) => disk.writeSync(...args));
  route(fs, "readSync", (disk, ...args: Parameters<Disk["readSync"]>) => disk.readSync(...args));
  route(fs, "fstatSync", (disk, fd: number, options?: object) => disk.statSync(fd, options));
  route(fs, "statSync", (disk, path: string, options?: object) => disk.statSync(path, options));
  route(fs, "existsSync", (disk, path: string) => disk.exists(path));
}
