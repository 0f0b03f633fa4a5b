import { needsKey, taskId } from "@taskmuster/kvs/protocol";
import { type Outstanding, outstandingOf } from "../../src/core/outstanding.js";
import type { TaskItem } from "../../src/core/task-file/index.js";
import { plainPolicy } from "../../src/core/task-policy.js";

export const oneCore = needsKey({ cores: 1 });

/** A line of the list. */
export function taskItem(id: number, command = `task ${id}`): TaskItem {
  return { kind: "task", id: taskId(id), line: id + 1, repeatIndex: -1, command: Buffer.from(command) };
}

/** As it is first offered. */
export function outstandingTask(id: number, command?: string): Outstanding {
  return outstandingOf(taskItem(id, command), oneCore, plainPolicy, null);
}
