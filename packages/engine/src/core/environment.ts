import type { RunInfo } from "@taskmuster/kvs/protocol";

export interface EnginePlace {
  readonly engineRank: number;
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

/** The variables that each task finds beside those of its engine and of its slot. */
export function taskEnvironment(task: TaskNumbers): Record<string, string> {
  return {
    DISBATCH_TASKID: String(task.id),
    DISBATCH_TASKID_ZP: zeroPadded(task.id),
    DISBATCH_STREAM_INDEX: String(task.line),
    DISBATCH_STREAM_INDEX_ZP: zeroPadded(task.line),
    DISBATCH_REPEAT_INDEX: String(task.repeatIndex),
    DISBATCH_REPEAT_INDEX_ZP: zeroPadded(task.repeatIndex),
  };
}

/** What all that runs in one slot finds. `cylinderRank`: of the slot; -1 for PERENGINE commands, which have none. */
export function slotEnvironment(
  run: Pick<RunInfo, "jobId" | "nameTasks" | "prefix">,
  place: EnginePlace,
  cylinderRank: number,
): Record<string, string> {
  return {
    DISBATCH_JOBID: run.jobId,
    DISBATCH_NAMETASKS: run.nameTasks,
    DISBATCH_CORES_PER_TASK: String(place.coresPerTask),
    DISBATCH_CYLINDER_RANK: String(cylinderRank),
    DISBATCH_ENGINE_RANK: String(place.engineRank),
    // By which a driver that takes the run over finds what still runs: other runs may have the same job id.
    TASKMUSTER_RUN: run.prefix,
  };
}
