import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, read } from "node:fs";
import { basename, resolve } from "node:path";
import { promisify } from "node:util";
import { TaskmusterError } from "@taskmuster/kvs";
import type { PerEngineLines } from "./core/driver-core.js";
import type { ListFacts } from "./core/ledger-entry.js";
import { identityOf } from "./core/row-scanner.js";
import { commandColumn } from "./core/status-line/index.js";
import { type Item, TaskFileParser, TaskFileScanner } from "./core/task-file/index.js";
import { mismatch, type ResumeChoice, runsAgain } from "./feeder.js";
import { ResumeMismatchError } from "./resume.js";
import { reasonOf } from "./status-file.js";
import { bytesOf, FileBytes, SpooledBytes } from "./task-source/byte-sources.js";
import { ParsedSource } from "./task-source/parsed-source.js";
import type { TaskSource } from "./task-source/task-source.js";

/** The list cannot be used as it is; the message names the line. */
export class TaskFileError extends TaskmusterError {
  override readonly name = "TaskFileError";

  constructor(message: string, options?: ErrorOptions) {
    super("E_TASK_FILE", message, options);
  }
}

export interface OpenedList {
  readonly source: TaskSource;
  /** Number of tasks; null: not known before a stream has ended. */
  readonly tasks: number | null;
  /** Number of tasks and barriers; null: as above. */
  readonly ids: number | null;
  /** Where a stream is kept as it comes; null for a file. */
  readonly spool: { readonly path: string | null } | null;
  /** For whoever goes on with the run; a stream must have been read from. */
  readonly facts: () => ListFacts;
  /** Reads a regular file once more from its beginning, some items at a time; null for a stream. */
  readonly reread: (() => AsyncGenerator<readonly Item[]>) | null;
}

/**
 * Opens a list. A regular file is checked as a whole, so that a bad directive anywhere is found before any task
 * starts; a stream (`-`, a pipe, `/dev/fd/N`) is read as it comes. Throws `TaskmusterError` (E_USAGE) when it cannot be
 * opened, and `TaskFileError`.
 */
export async function openList(
  path: string,
  options: ListOptions & { readonly spool: string },
): Promise<OpenedList> {
  const fd = path === "-" ? 0 : openFile(path);
  const name = options.name ?? (path === "-" ? "stdin" : basename(path));
  const stat = fstatSync(fd);
  if (path !== "-" && stat.isFile()) {
    const { tasks, barriers, sha256 } = await scan(path, fd, options);
    return {
      source: new ParsedSource(name, new FileBytes(fd, options.upTo), options),
      tasks,
      ids: tasks + barriers,
      spool: null,
      facts: () => ({ kind: "file", path: resolve(path), bytes: stat.size, sha256 }),
      reread: () => itemsOf(fd, options),
    };
  }
  const spool = new SpooledBytes(bytesOf(fd), options.spool);
  return {
    source: new ParsedSource(name, spool, options),
    tasks: null,
    ids: null,
    spool,
    facts: () => ({ kind: "stream", spool: spool.path ?? options.spool, name }),
    reread: null,
  };
}

interface ListOptions {
  readonly lenient: boolean;
  /** As tasks know it, if it is not that of the file. */
  readonly name?: string;
  /** So many bytes of a regular file are the list. */
  readonly upTo?: number;
}

/** Reads the PERENGINE block and what follows it, so far as it is there; no item in `first`: there is nothing to run. */
export async function readPerEngine(source: TaskSource): Promise<{
  readonly perEngine: PerEngineLines;
  readonly first: readonly Item[];
  readonly notices: readonly string[];
}> {
  const start: PerEngineLines["start"][number][] = [];
  const stop: PerEngineLines["stop"][number][] = [];
  const notices: string[] = [];
  for (;;) {
    const items = await source.read(256);
    if (items.length === 0) return { perEngine: { start, stop }, first: [], notices };
    for (const [index, item] of items.entries()) {
      if (item.kind === "notice") notices.push(`line ${item.line}: ${item.message}`);
      else if (item.kind === "error")
        throw new TaskFileError(`${source.name}, line ${item.line}: ${item.message}`);
      else if (item.kind === "perEngine") (item.when === "start" ? start : stop).push(item);
      else return { perEngine: { start, stop }, first: items.slice(index), notices };
    }
  }
}

/**
 * Compares every task of a list that can be read twice with the rows of a resume, so that the wrong status file is found
 * before any task starts. Throws `ResumeMismatchError`.
 */
export async function verifyResume(
  reread: () => AsyncGenerator<readonly Item[]>,
  resume: ResumeChoice,
): Promise<void> {
  for await (const items of reread()) {
    for (const item of items) {
      if (item.kind !== "task") continue;
      const found = resume.files.index.find(item.id);
      // One that runs again may have been mended in the list.
      if (found === null || runsAgain(found, resume)) continue;
      if (found.identity === identityOf(item.line, item.repeatIndex, commandColumn(item.command))) continue;
      throw new ResumeMismatchError(mismatch(item, await resume.files.row(found)));
    }
  }
}

/** A file that cannot be opened is one that was named wrongly, so this throws E_USAGE. */
function openFile(path: string): number {
  try {
    // Without waiting for the writer of a named pipe: while `open` waits nothing else happens here, not even a Ctrl-C.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(fd).isDirectory()) return fd;
    closeSync(fd);
  } catch (cause) {
    throw new TaskmusterError("E_USAGE", `cannot read the task file ${path}: ${reasonOf(cause)}`, { cause });
  }
  throw new TaskmusterError(
    "E_USAGE",
    `the task file ${path} is a directory; name a file with one command a line`,
  );
}

async function scan(
  path: string,
  fd: number,
  options: ListOptions,
): Promise<{ readonly tasks: number; readonly barriers: number; readonly sha256: string }> {
  const scanner = new TaskFileScanner(options);
  const hash = createHash("sha256");
  try {
    for await (const chunk of chunks(fd, options.upTo)) {
      scanner.feed(chunk);
      if (scanner.failed) break;
      hash.update(chunk);
    }
  } catch (cause) {
    throw new TaskFileError(`cannot read the task file ${path}: ${reasonOf(cause)}`, { cause });
  }
  const { error, tasks, barriers } = scanner.end();
  if (error === null) return { tasks, barriers, sha256: hash.digest("hex") };
  closeSync(fd);
  throw new TaskFileError(`${path}, line ${error.line}: ${error.message}`);
}

async function* itemsOf(fd: number, options: ListOptions): AsyncGenerator<readonly Item[]> {
  const parser = new TaskFileParser(options);
  for await (const chunk of chunks(fd, options.upTo)) {
    parser.feed(chunk);
    yield* itemsIn(parser);
  }
  parser.end();
  yield* itemsIn(parser);
}

/** What can be read without more input. */
function* itemsIn(parser: TaskFileParser): Generator<readonly Item[]> {
  for (let items = readItems(parser); items.length > 0; items = readItems(parser)) yield items;
}

function readItems(parser: TaskFileParser): readonly Item[] {
  const items: Item[] = [];
  while (items.length < mostItems) {
    const item = parser.next();
    if (item === "needMore" || item === "end") break;
    items.push(item);
  }
  return items;
}

/** Each is there only until the next one is asked for. */
async function* chunks(fd: number, upTo = Infinity): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(256 * 1024);
  for (let position = 0; ;) {
    const { bytesRead } = await readFd(fd, buffer, 0, Math.min(buffer.length, upTo - position), position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

const readFd = promisify(read);
const mostItems = 1024;
