import type { ChildProcess } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KvsAddress } from "../address.js";
import { KvsError } from "../errors.js";
import { whyNotOurs, whyUnsafe } from "../own-directory.js";
import { killProcess, startProcess } from "../start-process.js";
import type { RunId } from "../protocol/index.js";
import { type TlsFiles, serverConfig } from "./config.js";
import { deposit } from "./deposit.js";
import { type ServerIdentity, type Tcp, newIdentity } from "./identity.js";
import { tcpUrl } from "./published-hosts.js";

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines that it wrote. */
  readonly log: readonly string[];
}

/** The process of a private server on this host. */
export interface RunningServer {
  /** Holds the socket and the log; only its owner can enter it. */
  readonly directory: string;
  /** Undefined: it could not be started. */
  readonly pid: number | undefined;
  /** Resolves when it has ended, for whatever reason. */
  readonly exited: Promise<ServerExit>;
  /** Ends it and removes its directory. Twice is fine. */
  stop(): Promise<void>;
}

/** A server that we started for one run, in a session of its own. */
export interface PrivateServer extends RunningServer {
  /** Known before the server is ready, so that others can be started meanwhile. */
  readonly address: KvsAddress;
  /** For `restartPrivateServer`. */
  readonly identity: ServerIdentity;
  /** Resolves when it takes connections. Rejects with `KvsError` when it ends before, or does not get that far. */
  readonly ready: Promise<void>;
}

const longestSocketPath = 100;
const readyTimeoutMs = 15_000;
/** A server that has begun answers at once; one that does not is asked again. */
const answerMs = 1_000;

/**
 * Starts `binary` (see `findServerBinary`) with random passwords on a Unix socket in a fresh directory below `directory` (by
 * default that for temporary files), keeping nothing on disk. Does not keep this process alive. With `tcp` it listens there
 * too, if it can: `startReachableServer` sees to that. Throws `KvsError` when there is no place for its directory, `E_LAUNCH` when there are
 * no descriptors left.
 */
export function startPrivateServer(options: {
  readonly binary: string;
  readonly runId: RunId;
  readonly directory?: string;
  readonly tcp?: Tcp;
}): PrivateServer {
  const { binary, runId, tcp = null } = options;
  const directory = freshDirectory(options.directory ?? tmpdir());
  try {
    return launch(binary, newIdentity({ runId, directory, tcp }));
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Starts a server that has died again, as the same. It remembers nothing. Throws `KvsError` when its directory is not ours any more.
 */
export function restartPrivateServer(binary: string, identity: ServerIdentity): PrivateServer {
  const { directory } = identity;
  try {
    // Whatever cleans the directory for temporary files may have been there.
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
  } catch (cause) {
    throw new KvsError(`cannot start the private server again: ${String(cause)}`, { cause });
  }
  const why = whyNotOurs(directory);
  if (why !== null) throw new KvsError(`cannot start the private server again: ${why}`);
  return launch(binary, identity);
}

function launch(binary: string, identity: ServerIdentity): PrivateServer {
  const { directory } = identity;
  const socket = socketIn(directory);
  const logFile = logIn(directory);
  const tls = writeTlsFiles(identity);

  const child = startServer(binary, directory, logFile);
  const exited = exitOf(child, logFile);
  // It may be gone before it has read what we write.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(serverConfig(identity, { socket, log: logFile, tls }));
  child.unref();

  const address = addressOf(identity);
  const ready = becomesReady(binary, socket, exited).then(async () => {
    removeTlsFiles(tls);
    if (identity.tcp !== null) await deposit(address, identity.tcp);
  });
  // Who only stops the server need not care whether it ever was ready.
  ready.catch(() => undefined);

  let stopped: Promise<void> | undefined;
  return {
    address,
    identity,
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

function addressOf({ directory, tcp, password, engines }: ServerIdentity): KvsAddress {
  const { hosts = [], port = 0, tls = null } = tcp ?? {};
  return {
    addresses: [unixUrl(socketIn(directory)), ...hosts.map((host) => tcpUrl(host, port, tls !== null))],
    password,
    ...(tls === null ? {} : { certificate: tls.certificate }),
    engines,
    private: true,
  };
}

/** The server reads them when it starts, and never again. */
function writeTlsFiles({ directory, tcp }: ServerIdentity): TlsFiles {
  const files = { certificate: join(directory, "server.crt"), key: join(directory, "server.key") };
  removeTlsFiles(files);
  if (tcp === null || tcp.tls === null) return files;
  writeFileSync(files.certificate, tcp.tls.certificate, { mode: 0o600, flag: "wx" });
  writeFileSync(files.key, tcp.tls.key, { mode: 0o600, flag: "wx" });
  return files;
}

function removeTlsFiles({ certificate, key }: TlsFiles): void {
  rmSync(certificate, { force: true });
  rmSync(key, { force: true });
}

function startServer(binary: string, directory: string, logFile: string): ChildProcess {
  const log = openSync(logFile, "a", 0o600);
  try {
    return startProcess(binary, ["-"], { cwd: directory, detached: true, stdio: ["pipe", log, log] });
  } finally {
    closeSync(log);
  }
}

/** Where others cannot put something else in its place. */
function freshDirectory(wanted: string): string {
  const refused: string[] = [];
  for (const parent of new Set([wanted, "/tmp", "/var/tmp", "/dev/shm"])) {
    const length = Buffer.byteLength(socketIn(join(parent, "taskmuster-XXXXXX")));
    if (length > longestSocketPath) continue;
    const why = whyUnsafe(parent, "the group too");
    if (why === null) return makeDirectory(parent);
    refused.push(why);
  }
  throw new KvsError(
    `there is no safe directory for the private server: ${refused.join("; ")}. Name one in TMPDIR that only you can write into`,
  );
}

function makeDirectory(parent: string): string {
  try {
    return mkdtempSync(join(parent, "taskmuster-"));
  } catch (cause) {
    throw new KvsError(
      `cannot make a directory for the private server in ${parent}; does TMPDIR name one that is there?`,
      { cause },
    );
  }
}

function socketIn(directory: string): string {
  return join(directory, "kvs.sock");
}

/** Its log. */
export function logIn(directory: string): string {
  return join(directory, "server.log");
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

export function lastLines(file: string): string[] {
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
  while (!(await answers(socket))) {
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

/** Whatever it answers: then it has all its ports. Redis 7.2 and Valkey listen on the socket before they try the port for TLS. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket, () => probe.write("PING\r\n"));
    const settle = (answered: boolean) => {
      probe.destroy();
      resolve(answered);
    };
    probe.setTimeout(answerMs, () => settle(false));
    probe.once("data", () => settle(true));
    probe.once("close", () => settle(false));
    probe.on("error", () => settle(false));
  });
}

async function stop(child: ChildProcess, exited: Promise<ServerExit>, directory: string): Promise<void> {
  child.ref();
  // It keeps nothing, so there is nothing that a softer end could save; and it looks at signals only ten times a second.
  killProcess(child, "SIGKILL");
  await exited;
  rmSync(directory, { recursive: true, force: true });
}
