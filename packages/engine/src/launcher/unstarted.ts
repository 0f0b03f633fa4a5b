import { emptyDigest } from "../core/output-digest.js";
import { startFailureDigest } from "../core/start-failure.js";
import type { LaunchResult } from "./launcher.js";
import type { RunningTask } from "./running-tasks.js";

/** The end of a task whose end nobody saw. */
export function lostResult(task: Pick<RunningTask, "tag" | "pid" | "startedMs" | "stopping">): LaunchResult {
  const [start, end] = [task.startedMs / 1000, Date.now() / 1000];
  return {
    tag: task.tag,
    outcome: { kind: "lost" },
    stopped: task.stopping,
    pid: task.pid,
    start,
    end,
    elapsed: Math.max(0, end - start),
    out: emptyDigest,
    err: emptyDigest,
    lastWords: emptyDigest.snippet,
  };
}

/** The end of a task that was not started because tasks must not run now. */
export function refused(tag: number): LaunchResult {
  return lostResult({ tag, pid: -1, startedMs: Date.now(), stopping: true });
}

/** The end of a task that the kernel did not let us start. */
export function failedToStart(tag: number, errno: number, failed: "exec" | "fork"): LaunchResult {
  return {
    ...refused(tag),
    stopped: false,
    outcome: { kind: "failedToStart", errno },
    ...startFailureDigest(errno, failed),
  };
}
