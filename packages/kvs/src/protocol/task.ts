import { pack } from "./codec.js";
import { Fields, orNull } from "./fields.js";
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

export function encodeTask(task: Task): Buffer {
  return pack([task.id, task.attempt, task.line, task.repeatIndex, orNull(task.command)]);
}

/** Throws `MalformedMessageError`. */
export function decodeTask(bytes: Uint8Array): Task {
  const fields = new Fields("task", bytes, 5);
  return {
    id: taskId(fields.int(0)),
    attempt: attempt(fields.int(1)),
    line: fields.int(2),
    repeatIndex: fields.int(3),
    command: fields.bytes(4),
  };
}
