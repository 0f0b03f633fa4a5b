/* The programming interface of taskmuster: what `import { DisBatcher } from "taskmuster"` gives. */

/** How a task ended: disBatch's status dictionary. Times in seconds, `Start` and `End` since 1970. */
export interface TaskStatus {
  /** As in the status file: R, O, E, and S for a task that an earlier run had done, each at its place. */
  readonly Flags: string;
  /** From 0, in the order of submission; a REPEAT takes as many as it has tasks, a BARRIER takes one. */
  readonly TaskId: number;
  /** Counts what was submitted, from 1. */
  readonly TaskStreamIndex: number;
  /** -1 outside REPEAT. */
  readonly TaskRepIndex: number;
  readonly Host: string;
  readonly PID: number;
  /** Exit status, -signal, -100 for a task that was given up, or an error number when it could not be started. */
  readonly ReturnCode: number;
  readonly Elapsed: number;
  readonly Start: number;
  readonly End: number;
  readonly OutBytes: number;
  /** The first and the last 40 bytes that it wrote on its standard output. */
  readonly OutData: string;
  readonly ErrBytes: number;
  readonly ErrData: string;
  readonly TaskCmd: string;
}

/** How a run ended: what `driver --json` prints; of a run that another driver serves only the first two. */
export interface RunSummary {
  /** `finished`: the list was worked through, whether or not tasks failed. */
  readonly reason: string;
  readonly message: string | null;
  readonly done?: number;
  readonly failed?: number;
  readonly statusFile?: string;
  readonly [name: string]: unknown;
}

export interface DisBatcherOptions {
  /** Begins the names of the keys in the store; for people who look there. */
  readonly tasksName?: string;
  /** Options of `driver`, such as `["-s", "localhost:4", "-p", "results/"]`. */
  readonly args?: readonly string[];
  /**
   * A server on which a `driver --taskserver` waits already: HOST:PORT or a URL; its password is taken from TASKMUSTER_KVS_PASSWORD. Without
   * it a driver is started, which ends with this program.
   */
  readonly kvsServer?: string;
  /** The driver's directory and environment; by default those of this program. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * A run that this program submits tasks to. Every method rejects when the driver cannot start (an unknown option, say), or when the run has ended
 * and what is waited for will never come. A driver that was started here is stopped with all its tasks when this program ends before it.
 */
export declare class DisBatcher {
  constructor(options?: DisBatcherOptions);
  /**
   * Submits a line of a task file, directives allowed; several lines in one call share their `TaskStreamIndex`. Resolves when the store has it; need not be
   * waited for, the order is kept.
   */
  submit(line: string): Promise<void>;
  /** Waits for these tasks. May be asked again for the same ones. */
  syncTasks(ids: Iterable<number>): Promise<Map<number, TaskStatus>>;
  /** Waits for a task, any that neither `waitOneTask`, `syncTasks` nor `results` has given before. */
  waitOneTask(): Promise<TaskStatus>;
  /** The same, one after the other, until the run ends. Throws at the end when the run was stopped early. */
  results(): AsyncGenerator<TaskStatus, void, undefined>;
  /**
   * No more tasks come. Resolves when all have ended and the driver has gone; what was not asked for yet can still be. Rejects when the run was
   * stopped early; failed tasks are no such reason.
   */
  done(): Promise<RunSummary>;
  /** Stops what runs and the driver, if it was started here; else only lets go of it. */
  stop(): Promise<void>;
}
