import { MalformedMessageError } from "../errors.js";
import { FixedFields, viewOf } from "./fixed.js";
import { type Attempt, type TaskId, attempt, taskId } from "./ids.js";

/** What an engine must know to run one task. */
export interface Task {
  readonly id: TaskId;
  readonly attempt: Attempt;
  /** 1-based line of the task file, or item of the stream. */
  readonly line: number;
  /** -1 outside REPEAT. */
  readonly repeatIndex: number;
  /** It is stopped when it has run for so long; null: it may run for ever. */
  readonly timeoutMs: number | null;
  /** Exact bytes handed to the shell: prefix, text and suffix. Not necessarily UTF-8. */
  readonly command: Uint8Array;
}

/** Where its fields begin. */
const at = { id: 0, line: 8, repeatIndex: 16, attempt: 24, command: 28 } as const;

/** A bit of `attempt`: the timeout stands after the command. Most tasks have none, and are no longer for it. */
const hasTimeout = 0x8000_0000;
const timeoutBytes = 8;

export function encodeTask(task: Task): Buffer {
  const { timeoutMs } = task;
  const end = at.command + task.command.length;
  const bytes = Buffer.allocUnsafe(timeoutMs === null ? end : end + timeoutBytes);
  const view = viewOf(bytes);
  const from = bytes.byteOffset;
  view.setFloat64(from + at.id, task.id);
  view.setFloat64(from + at.line, task.line);
  view.setFloat64(from + at.repeatIndex, task.repeatIndex);
  if (timeoutMs === null) view.setUint32(from + at.attempt, task.attempt);
  else {
    view.setUint32(from + at.attempt, (task.attempt | hasTimeout) >>> 0);
    view.setFloat64(from + end, timeoutMs);
  }
  bytes.set(task.command, at.command);
  return bytes;
}

/** The command is a part of `bytes`. Throws `MalformedMessageError`. */
export function decodeTask(bytes: Uint8Array): Task {
  const fields = new FixedFields("task", bytes, at.command);
  const tries = fields.uint32(at.attempt);
  const isLimited = tries >= hasTimeout;
  const end = isLimited ? bytes.length - timeoutBytes : bytes.length;
  if (end < at.command) throw new MalformedMessageError("task", "there is no room for its timeout");
  const timeoutMs = isLimited ? fields.float64(end) : null;
  if (timeoutMs !== null && timeoutMs <= 0) throw new MalformedMessageError("task", "its timeout is none");
  return {
    id: taskId(fields.count(at.id)),
    attempt: attempt(isLimited ? tries - hasTimeout : tries),
    line: fields.int(at.line),
    repeatIndex: fields.int(at.repeatIndex),
    timeoutMs,
    command: fields.part(at.command, end),
  };
}

/** The task that an element of a queue says it has, or why it is none. */
export function readTask(id: TaskId, tries: Attempt, bytes: Uint8Array): Task | { readonly refused: string } {
  try {
    const task = decodeTask(bytes);
    if (task.id === id && task.attempt === tries) return task;
    return {
      refused: `malformed task: it is attempt ${task.attempt} at task ${task.id}, not ${tries} at ${id}`,
    };
  } catch (error) {
    if (error instanceof MalformedMessageError) return { refused: error.message };
    throw error;
  }
}
