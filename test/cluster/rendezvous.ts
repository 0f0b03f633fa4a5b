import { journalled } from "./journal.js";

/**
 * A list that ends only when `slots` of its tasks have run at the same time, and of which the same number runs after that: so the
 * journal shows how many there are on each host, neither fewer nor more. `command` runs first in each task.
 */
export function rendezvous(slots: number, command = ":"): string {
  const wait = `for i in {1..300}; do set -- here.*; [ $# -ge ${slots} ] && break; sleep 0.05; done`;
  return journalled(2 * slots, `${command}; : > here.$DISBATCH_TASKID; ${wait}; sleep 0.3`);
}

/** A task that runs until somebody lets those on its host go (a file go.HOST), and tells that it lives meanwhile. */
export const untilLetGo =
  "until [ -e go.$HOSTNAME ]; do echo $EPOCHREALTIME >> alive.$DISBATCH_TASKID.$DISBATCH_ENGINE_RANK; sleep 0.05; done";
