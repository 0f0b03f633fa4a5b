import type { EngineId, RunState } from "@taskmuster/kvs/protocol";

/** `failed`: a node whose engine could not be started, or ended badly. */
export type ConditionKind =
  "starting" | "running" | "late" | "draining" | "stopping" | "gone" | "lost" | "failed";

export interface Condition {
  readonly kind: ConditionKind;
  /** In words; may be empty. */
  readonly why: string;
}

/** A run as the monitor shows it: what one look told, with what only several looks together tell. */
export interface Picture {
  /** Null before the driver's first word. */
  readonly run: RunState | null;
  readonly totals: Totals;
  readonly elapsedSeconds: number;
  /** Tasks per second; null: nothing to tell it from yet. */
  readonly rate: number | null;
  readonly secondsLeft: number | null;
  /** For how long the driver has not been heard. */
  readonly driverSilentMs: number;
  readonly contexts: readonly ContextPicture[];
  readonly slots: number;
  readonly busy: number;
  /** Members only. */
  readonly engines: number;
}

export interface Totals {
  /** Null: a stream, whose end nobody knows. */
  readonly total: number | null;
  /** Failed ones among them. */
  readonly done: number;
  readonly failed: number;
  readonly running: number;
  readonly skipped: number;
  readonly skippedFailed: number;
  /** Neither done nor skipped nor running; of a stream: what has come in so far. */
  readonly left: number;
  readonly retried: number;
  readonly lost: number;
  readonly perEngineFailed: number;
}

export interface ContextPicture {
  readonly kind: "context";
  readonly key: string;
  readonly label: string;
  readonly method: "local" | "ssh" | "slurm";
  /** Where the process runs that starts its engines. */
  readonly host: string;
  readonly nodes: number;
  /** Engines that are members. */
  readonly up: number;
  readonly slots: number;
  readonly busy: number;
  readonly done: number;
  readonly failed: number;
  /** Tasks that it may run in all (`-C`), and how many of them are left. */
  readonly limit: number | null;
  readonly limitLeft: number | null;
  readonly endsInSeconds: number | null;
  readonly condition: Condition;
  /** Somebody has ordered it to drain or to stop. */
  readonly retiring: boolean;
  /** Since when nothing of it is left; ms, monotonic. */
  readonly goneSince: number | null;
  readonly members: readonly (EnginePicture | NodePicture)[];
}

export interface EnginePicture {
  readonly kind: "engine";
  readonly key: string;
  readonly id: EngineId;
  readonly context: string;
  readonly rank: number;
  readonly host: string;
  readonly hostOrder: string;
  readonly pid: number;
  readonly cores: number;
  readonly slots: number;
  readonly busy: number;
  readonly done: number;
  readonly failed: number;
  readonly claims: number;
  readonly heardMs: number;
  readonly endsInSeconds: number | null;
  readonly condition: Condition;
  readonly retiring: boolean;
  readonly goneSince: number | null;
}

/** A node of a context that no engine has joined from. */
export interface NodePicture {
  readonly kind: "node";
  readonly key: string;
  readonly context: string;
  readonly host: string;
  readonly slots: number;
  readonly condition: Condition;
}
