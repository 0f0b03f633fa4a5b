import type { EngineId, QueuedTask, Report } from "@taskmuster/kvs/protocol";
import type { Outstanding } from "./outstanding.js";

/* What the core takes from its shell, and asks it to do. */

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
