import type { EngineId, ExchangeRequest, Outcome, Report } from "@taskmuster/kvs/protocol";
import type { SlotShare } from "./slot-shares.js";

/** What an engine's core asks of the world. */
export interface EnginePort {
  /** `cpus`: those that it shall run on; undefined: any. */
  launch(
    tag: number,
    command: Uint8Array,
    env: Readonly<Record<string, string>>,
    cpus?: readonly number[],
  ): void;
  stop(tag: number, graceMs: number): void;
  /** One at a time; the answer comes back through `onExchanged`. */
  exchange(request: ExchangeRequest): void;
  /** Calls `onReminder` after a moment (some 50 ms). Asked for once at a time. */
  remind(): void;
  /** Nothing is left to do or to be acknowledged. `why` is for people. */
  leave(why: string): void;
}

/** How one launched command ended. */
export interface TaskEnd extends Pick<
  Report,
  "pid" | "start" | "end" | "elapsed" | "out" | "err" | "lastWords"
> {
  readonly tag: number;
  readonly outcome: Outcome;
  /** We signalled its tree (an order, the fence) before its shell had ended. */
  readonly stopped: boolean;
}

export interface EngineSettings {
  readonly engine: EngineId;
  readonly host: string;
  readonly slots: number;
  readonly coresPerTask: number;
  /** What each slot has of the node, see `slotShares`; empty or absent: nothing of its own. */
  readonly shares?: readonly SlotShare[];
  readonly perEngineEnv?: Readonly<Record<string, string>>;
  /** Ends other than success are held back for a moment: a signal may explain them (`onStopSignal`). */
  readonly holdsFailures?: boolean;
  /** Bounds on one exchange. */
  readonly maxReports: number;
  readonly maxBytes: number;
}
