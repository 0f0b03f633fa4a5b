import type { EndReason } from "./end-reason.js";

export interface FailedTask {
  readonly id: number;
  readonly line: number;
  /** As in the status file: exit status, -signal, errno. */
  readonly returnCode: number;
  readonly timedOut: boolean;
  /** First 200 bytes. */
  readonly command: Uint8Array;
  readonly lastWords: Uint8Array;
  /** Not a task of the list but a PERENGINE command. */
  readonly perEngine: boolean;
}

/** A failure with all that is known of it. */
export interface RecentFailure extends FailedTask {
  readonly host: string;
  /** Seconds since 1970, by the engine's clock. */
  readonly end: number;
  readonly elapsed: number;
}

/** What a person is told about a run, at any time. */
export interface RunView {
  /** Tasks (barriers do not count) that have ended in this run, skipped ones not among them. */
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
  /** Of the skipped ones: failed in an earlier run. */
  readonly skippedFailed: number;
  /** Published or waiting in front of a barrier; not ended. */
  readonly outstanding: number;
  readonly running: number;
  readonly slots: number;
  /** The most there were at a time. */
  readonly peakSlots: number;
  readonly engines: number;
  readonly lost: number;
  /** Attempts that failed and were not the last. */
  readonly retried: number;
  readonly perEngineFailed: number;
  /** Seconds, over all tasks that ended in this run. */
  readonly taskSeconds: number;
  /** Tasks among `done` whose rows could not be written, and will not be. */
  readonly unrecorded: number;
  readonly atBarrier: number | null;
  /** Why nothing new is handed out for now, for people; null: it is. */
  readonly held: string | null;
  readonly phase: "running" | "draining" | "stopping" | "ended";
  readonly reason: EndReason | null;
  /** The first few failures. */
  readonly failures: readonly FailedTask[];
  /** The newest ones, newest first. */
  readonly recentFailures: readonly RecentFailure[];
}
