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
  /** Exact bytes handed to the shell: prefix, text and suffix. Not necessarily UTF-8. */
  readonly command: Uint8Array;
}

/** Where its fields begin. */
const at = { id: 0, line: 8, repeatIndex: 16, attempt: 24, command: 28 } as const;

export function encodeTask(task: Task): Buffer {
  const bytes = Buffer.allocUnsafe(at.command + task.command.length);
  const view = viewOf(bytes);
  const from = bytes.byteOffset;
  view.setFloat64(from + at.id, task.id);
  view.setFloat64(from + at.line, task.line);
  view.setFloat64(from + at.repeatIndex, task.repeatIndex);
  view.setUint32(from + at.attempt, task.attempt);
  bytes.set(task.command, at.command);
  return bytes;
}

/** The command is a part of `bytes`. Throws `MalformedMessageError`. */
export function decodeTask(bytes: Uint8Array): Task {
  const fields = new FixedFields("task", bytes, at.command);
  return {
    id: taskId(fields.count(at.id)),
    attempt: attempt(fields.uint32(at.attempt)),
    line: fields.int(at.line),
    repeatIndex: fields.int(at.repeatIndex),
    command: fields.part(at.command, bytes.length),
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
