import { isUtf8 } from "node:buffer";
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { closeSync, readFileSync, readSync, readdirSync } from "node:fs";
import { Socket } from "node:net";
import { constants } from "node:os";
import type { Outcome } from "@taskmuster/kvs/protocol";
import { OutputDigest, lastWordsBytes, snippetBytes } from "../core/output-digest.js";
import type { Pipe } from "./fifo-pool.js";
import type { LaunchRequest, LaunchResult } from "./launcher.js";
import { onCpus } from "./taskset.js";
import type { StopCause } from "./tree-stop.js";

/** What a pipe holds that was made as large as may be: no more can have been written before the shell ended and not been read yet. */
const pipeBytes = 1 << 20;
/** Read at a time. */
const chunkBytes = 65_536;

const bash = "/bin/bash";
const closeOnExec = 0o2000000;

/** The longest argument that Linux takes, without the final NUL. */
const longestArgument = 131_071;

/**
 * Node's arguments are UTF-8. A command that is not goes through the input of another bash, which replaces itself by
 * the task's; the variable is not exported.
 */
const readCommand = `IFS= read -r -d '' TASKMUSTER_COMMAND; exec /bin/bash -c "$TASKMUSTER_COMMAND" </dev/null`;

/** Descriptors above 15 that we were started with and that Node hands on: another bash closes them. Empty nearly always. */
const closeInherited = inheritedDescriptors()
  .map((fd) => `exec ${fd}>&-; `)
  .join("");

function inheritedDescriptors(): string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1] ?? "0";
      return Number(fd) > 2 && (Number.parseInt(flags, 8) & closeOnExec) === 0;
    } catch {
      // The directory's own, closed by now.
      return false;
    }
  });
}

export interface ShellEnd {
  readonly outcome: Outcome;
  /** Seconds since 1970. */
  readonly end: number;
  /** Seconds. */
  readonly elapsed: number;
}

/** The system refused to start the shell. */
export class SpawnRefused extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`spawn: errno ${errno}`);
    this.errno = errno;
  }
}

export interface PlacedRequest extends LaunchRequest {
  /** CPUs that it may run on; undefined: all that we may. */
  readonly cpus: readonly number[] | undefined;
}

/** One task's shell and its two streams. */
export class NodeTask {
  readonly tag: number;
  readonly pid: number;
  readonly #start = epochSeconds();
  readonly #startedMs = performance.now();
  readonly #out: Stream;
  readonly #err: Stream;
  #end: ShellEnd | null = null;

  private constructor(tag: number, child: ChildProcess, pid: number, out: Pipe, err: Pipe) {
    this.tag = tag;
    this.pid = pid;
    this.#out = new Stream(out.reader, snippetBytes);
    this.#err = new Stream(err.reader, lastWordsBytes);
    child.once("exit", (code, signal) => {
      this.#end = {
        outcome:
          signal === null
            ? { kind: "exited", code: code ?? 0 }
            : { kind: "signalled", signal: constants.signals[signal] },
        end: epochSeconds(),
        elapsed: (performance.now() - this.#startedMs) / 1000,
      };
    });
  }

  /** `onExit` is called once, in a later turn of the loop. Takes the pipes over. Throws `SpawnRefused`. */
  static async start(
    { tag, command, cpus }: PlacedRequest,
    env: NodeJS.ProcessEnv,
    cwd: string,
    { out, err }: { readonly out: Pipe; readonly err: Pipe },
    onExit: () => void,
  ): Promise<NodeTask> {
    try {
      const direct = isUtf8(command) && closeInherited === "";
      if (!direct && command.length > longestArgument) throw new SpawnRefused(constants.errno.E2BIG);
      const stdio: StdioOptions = [direct ? "ignore" : "pipe", out.writer, err.writer];
      const text = direct ? Buffer.from(command).toString("utf8") : closeInherited + readCommand;
      const [file, ...args] = [...onCpus(cpus), bash, "-c", text];
      const child = spawn(file, args, { cwd, env, stdio, detached: true });
      // Some refusals are thrown, some are told by an event in the next turn.
      if (child.pid === undefined) throw await new Promise((resolve) => child.once("error", resolve));
      child.on("error", () => undefined);
      child.stdin?.on("error", () => undefined).end(Buffer.concat([command, Buffer.of(0)]));
      const task = new NodeTask(tag, child, child.pid, out, err);
      child.once("exit", onExit);
      return task;
    } catch (error) {
      closeSync(out.reader);
      closeSync(err.reader);
      throw error instanceof SpawnRefused ? error : new SpawnRefused(errnoOf(error));
    } finally {
      closeSync(out.writer);
      closeSync(err.writer);
    }
  }

  /** Null while the shell lives. */
  get ended(): ShellEnd | null {
    return this.#end;
  }

  /** Takes what is still in the pipes and closes them. `cause`: why its tree was signalled while the shell lived; null: it was not. */
  finish(cause: StopCause | null): LaunchResult {
    const out = this.#out.finish();
    const err = this.#err.finish();
    const { outcome, end, elapsed } = this.#end ?? {
      outcome: { kind: "lost" },
      end: epochSeconds(),
      elapsed: (performance.now() - this.#startedMs) / 1000,
    };
    const told = outcomeToTell(outcome, cause);
    const failed = told.kind !== "exited" || told.code !== 0;
    return {
      tag: this.tag,
      outcome: told,
      stopped: cause === "order" || cause === "fence",
      pid: this.pid,
      start: this.#start,
      end,
      elapsed,
      out: out.digest,
      err: err.digest,
      lastWords: failed ? err.last : new Uint8Array(0),
    };
  }
}

function outcomeToTell(outcome: Outcome, cause: StopCause | null): Outcome {
  switch (cause) {
    case null:
    case "order":
      return outcome;
    case "timeout":
      if (outcome.kind === "lost") return { kind: "timedOut", signal: constants.signals.SIGKILL };
      return {
        kind: "timedOut",
        signal: outcome.kind === "signalled" ? outcome.signal : constants.signals.SIGTERM,
      };
    case "fence":
    case "failure":
      return { kind: "lost" };
  }
}

class Stream {
  readonly #reader: number;
  readonly #socket: Socket;
  readonly #digest: OutputDigest;

  constructor(reader: number, keep: number) {
    this.#reader = reader;
    this.#digest = new OutputDigest(keep);
    this.#socket = new Socket({ fd: reader, readable: true, writable: false });
    this.#socket.on("data", (chunk: Buffer) => this.#digest.add(chunk));
    this.#socket.on("error", () => undefined);
  }

  /** No more than the pipe holds: a child left behind may go on writing for ever. */
  finish(): OutputDigest {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    for (let left = pipeBytes; left > 0 && !this.#socket.destroyed;) {
      let count: number;
      try {
        count = readSync(this.#reader, buffer, 0, Math.min(left, chunkBytes), null);
      } catch {
        // Nothing there now, but a child left behind has it open.
        break;
      }
      if (count === 0) break;
      this.#digest.add(buffer.subarray(0, count));
      left -= count;
    }
    this.#socket.destroy();
    return this.#digest;
  }
}

function epochSeconds(): number {
  return Date.now() / 1000;
}

/** Positive; EIO where the error has none. */
export function errnoOf(error: unknown): number {
  const errno = error instanceof Error && "errno" in error ? Number(error.errno) : Number.NaN;
  return Number.isInteger(errno) ? Math.abs(errno) : constants.errno.EIO;
}
