import type { EngineId, NeedsKey, QueuedTask, Report } from "@taskmuster/kvs/protocol";
import type { Outstanding } from "./outstanding.js";
import type { TaskPolicy } from "./task-policy.js";

/* What the core takes from its shell, and asks it to do. */

export interface DriverCoreOptions {
  readonly needs: NeedsKey;
  readonly failFast: boolean;
  /** So many unannounced losses of one task that had started are retried. */
  readonly maxLosses: number;
  /** Of tasks of which no directive says otherwise. */
  readonly policy?: TaskPolicy;
  /** For barrier rows, which are the driver's own. */
  readonly node: string;
  readonly pid: number;
}

/** A late success of an attempt that was offered again: it counts if the new offer can be taken back. */
export interface Withdrawal {
  readonly task: Outstanding;
  readonly report: Report;
}

export interface Publish {
  readonly tasks: readonly QueuedTask[];
  readonly where: "front" | "back";
}

export interface ReceivedFrom {
  readonly engine: EngineId;
  readonly number: number;
  readonly report: Report;
}

export interface PerEngineLines {
  readonly start: readonly { readonly line: number; readonly command: Uint8Array }[];
  readonly stop: readonly { readonly line: number; readonly command: Uint8Array }[];
}

/** A report of something that this run never gave to anybody. */
export interface Stray {
  readonly engine: EngineId;
  /** For people. */
  readonly what: string;
}
