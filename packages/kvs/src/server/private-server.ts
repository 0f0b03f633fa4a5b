import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KvsAddress } from "../address.js";
import { KvsError } from "../errors.js";
import { type Tcp, serverConfig } from "./config.js";

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines that it wrote. */
  readonly log: readonly string[];
}

/** A server that we started for one run, in a session of its own. */
export interface PrivateServer {
  /** Known before the server is ready, so that others can be started meanwhile. */
  readonly address: KvsAddress;
  /** Holds the socket and the log; only its owner can enter it. */
  readonly directory: string;
  /** Undefined: it could not be started; `ready` says why. */
  readonly pid: number | undefined;
  /** Resolves when it takes connections. Rejects with `KvsError` when it ends before, or does not get that far. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended, for whatever reason. */
  readonly exited: Promise<ServerExit>;
  /** Ends it and removes its directory. Twice is fine. */
  stop(): Promise<void>;
}

const longestSocketPath = 100;
const readyTimeoutMs = 15_000;

/**
 * Starts `binary` (see `findServerBinary`) with a random password on a Unix socket in a fresh directory below `directory` (by
 * default that for temporary files), keeping nothing on disk. Does not keep this process alive. With `tcp` it listens there
 * too, if it can, which `address` does not tell: `startReachableServer` is for that.
 */
export function startPrivateServer(options: {
  readonly binary: string;
  readonly directory?: string;
  readonly tcp?: Tcp;
}): PrivateServer {
  const directory = freshDirectory(options.directory ?? tmpdir());
  const socket = socketIn(directory);
  const logFile = join(directory, "server.log");
  const password = randomBytes(24).toString("base64url");

  const log = openSync(logFile, "a", 0o600);
  const child = spawn(options.binary, ["-"], { cwd: directory, detached: true, stdio: ["pipe", log, log] });
  closeSync(log);
  const exited = exitOf(child, logFile);
  // It may be gone before it has read what we write.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(serverConfig({ directory, socket, logFile, password, tcp: options.tcp ?? null }));
  child.unref();

  const ready = becomesReady(options.binary, socket, exited);
  // Who only stops the server need not care whether it ever was ready.
  ready.catch(() => undefined);

  let stopped: Promise<void> | undefined;
  return {
    address: { addresses: [unixUrl(socket)], password, private: true },
    directory,
    pid: child.pid,
    ready,
    exited,
    stop() {
      stopped ??= stop(child, exited, directory);
      return stopped;
    },
  };
}

function freshDirectory(parent: string): string {
  const length = Buffer.byteLength(socketIn(join(parent, "taskmuster-XXXXXX")));
  const chosen = length > longestSocketPath ? "/tmp" : parent;
  try {
    return mkdtempSync(join(chosen, "taskmuster-"));
  } catch (cause) {
    throw new KvsError(
      `cannot make a directory for the private server in ${chosen}; does TMPDIR name one that is there?`,
      {
        cause,
      },
    );
  }
}

function socketIn(directory: string): string {
  return join(directory, "kvs.sock");
}

function unixUrl(path: string): string {
  return `unix://${path.split("/").map(encodeURIComponent).join("/")}`;
}

function exitOf(child: ChildProcess, logFile: string): Promise<ServerExit> {
  return new Promise((resolve) => {
    child.once("error", (error) => {
      resolve({ code: null, signal: null, log: [error.message] });
    });
    child.once("exit", (code, signal) => {
      resolve({ code, signal, log: lastLines(logFile) });
    });
  });
}

function lastLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-10);
  } catch {
    return [];
  }
}

async function becomesReady(binary: string, socket: string, exited: Promise<ServerExit>): Promise<void> {
  let exit: ServerExit | undefined;
  void exited.then((value) => {
    exit = value;
  });
  const started = performance.now();
  while (!(await accepts(socket))) {
    if (exit !== undefined) {
      const how = exit.signal === null ? `exit status ${exit.code ?? "unknown"}` : exit.signal;
      throw new KvsError(
        `cannot start a private server: ${binary} ended (${how}):\n  ${exit.log.join("\n  ")}`,
      );
    }
    if (performance.now() - started > readyTimeoutMs) {
      throw new KvsError(
        `cannot start a private server: ${binary} took no connection within ${readyTimeoutMs / 1000} s`,
      );
    }
    await sleep(3);
  }
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => {
      resolve(false);
    });
  });
}

async function stop(child: ChildProcess, exited: Promise<ServerExit>, directory: string): Promise<void> {
  child.ref();
  // It keeps nothing, so there is nothing that a softer end could save; and it looks at signals only ten times a second.
  child.kill("SIGKILL");
  await exited;
  rmSync(directory, { recursive: true, force: true });
}
