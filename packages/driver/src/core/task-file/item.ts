import type { TaskId } from "@taskmuster/kvs/protocol";
import type { TaskRules } from "../task-policy.js";

/**
 * What a task file says, in its order. `line` is the number of the physical line, from 1: only `\n` counts, so the tasks on
 * either side of a lone `\r` have the same one. Ids are contiguous from 0 over tasks and barriers together.
 */
export type Item = TaskItem | BarrierItem | PerEngineItem | NoticeItem | ErrorItem;

export interface TaskItem {
  readonly kind: "task";
  readonly id: TaskId;
  readonly line: number;
  /** -1 outside REPEAT. */
  readonly repeatIndex: number;
  /** What RETRIES and TIMEOUT before it say; the same object until they say something else. */
  readonly rules?: TaskRules | undefined;
  /** Prefix, text and suffix, byte for byte. The tasks of one REPEAT share one array. */
  readonly command: Uint8Array;
}

export interface BarrierItem {
  readonly kind: "barrier";
  readonly id: TaskId;
  readonly line: number;
  /** Ends the run if a task failed since the barrier before. */
  readonly check: boolean;
  /** What to tell the store when it is passed; null: nothing. */
  readonly key: string | null;
  /** The whole line, for the status file. */
  readonly text: Uint8Array;
}

/** Not numbered here: the n-th START is START n, and likewise STOP. */
export interface PerEngineItem {
  readonly kind: "perEngine";
  readonly when: "start" | "stop";
  readonly line: number;
  readonly command: Uint8Array;
}

/** Worth telling the user; changes nothing. The message does not repeat the line number. */
export interface NoticeItem {
  readonly kind: "notice";
  readonly line: number;
  readonly message: string;
}

/** The list cannot be read on; always the last item. */
export interface ErrorItem extends ListError {
  readonly kind: "error";
}

/** What is wrong with a line of the list. */
export interface ListError {
  readonly line: number;
  /** The line as UTF-8, cut short if it is long. */
  readonly text: string;
  /** What failed, the text, and what to try; without the line number. */
  readonly message: string;
}
