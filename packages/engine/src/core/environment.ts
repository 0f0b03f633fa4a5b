import type { RunInfo } from "@taskmuster/kvs/protocol";

export interface TaskPlace {
  readonly engineRank: number;
  /** -1 for PERENGINE commands. */
  readonly cylinderRank: number;
  readonly coresPerTask: number;
}

export interface TaskNumbers {
  readonly id: number;
  readonly line: number;
  readonly repeatIndex: number;
}

/** Six digits as Python's `{:06d}` writes them: the sign counts as one (`-00001`). */
export function zeroPadded(value: number): string {
  return value < 0 ? `-${String(-value).padStart(5, "0")}` : String(value).padStart(6, "0");
}

/** The variables that each task finds beside those of its engine. */
export function taskEnvironment(
  run: Pick<RunInfo, "jobId" | "nameTasks">,
  place: TaskPlace,
  task: TaskNumbers,
): Record<string, string> {
  return {
    DISBATCH_JOBID: run.jobId,
    DISBATCH_NAMETASKS: run.nameTasks,
    DISBATCH_TASKID: String(task.id),
    DISBATCH_TASKID_ZP: zeroPadded(task.id),
    DISBATCH_STREAM_INDEX: String(task.line),
    DISBATCH_STREAM_INDEX_ZP: zeroPadded(task.line),
    DISBATCH_REPEAT_INDEX: String(task.repeatIndex),
    DISBATCH_REPEAT_INDEX_ZP: zeroPadded(task.repeatIndex),
    DISBATCH_CORES_PER_TASK: String(place.coresPerTask),
    DISBATCH_CYLINDER_RANK: String(place.cylinderRank),
    DISBATCH_ENGINE_RANK: String(place.engineRank),
  };
}
