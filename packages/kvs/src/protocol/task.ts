import * as z from "zod/mini";
import { pack, unpackAs } from "./codec.js";
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

const taskSchema = z.tuple([z.int(), z.int(), z.int(), z.int(), z.instanceof(Uint8Array)]);

export function encodeTask(task: Task): Buffer {
  return pack([task.id, task.attempt, task.line, task.repeatIndex, task.command]);
}

/** Throws `MalformedMessageError`. */
export function decodeTask(bytes: Uint8Array): Task {
  const [id, tries, line, repeatIndex, command] = unpackAs("task", taskSchema, bytes);
  return { id: taskId(id), attempt: attempt(tries), line, repeatIndex, command };
}
