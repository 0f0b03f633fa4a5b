import { taskId } from "@taskmuster/kvs/protocol";
import type { Item } from "../src/core/task-file/index.js";

/** Items of a list, as the parser makes them: each on the line after its id. */
export function taskItem(id: number, command = `echo ${id}`): Item {
  return { kind: "task", id: taskId(id), line: id + 1, repeatIndex: -1, command: Buffer.from(command) };
}

export function barrierItem(id: number): Item {
  return {
    kind: "barrier",
    id: taskId(id),
    line: id + 1,
    check: false,
    key: null,
    text: Buffer.from("#DISBATCH BARRIER"),
  };
}
