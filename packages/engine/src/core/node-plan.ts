/** One node, and what may run there. */
export interface NodePlan {
  /** As the batch system or the user names it; for ssh perhaps with `user@`. */
  readonly host: string;
  readonly cores: number;
  readonly slots: number;
  /** Whole cores for each task (`DISBATCH_CORES_PER_TASK`), possibly 0. */
  readonly coresPerTask: number;
}
