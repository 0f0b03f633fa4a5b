import type { EngineId, ExchangeRequest, Outcome, Report } from "@taskmuster/kvs/protocol";

/** What an engine's core asks of the world. Each tag that is launched or enqueued is answered once: by its end, or by `onRecalled`. */
export interface EnginePort {
  /** At once, in no slot. */
  launch(tag: number, command: Uint8Array, env: Readonly<Record<string, string>>): void;
  /**
   * In a slot, as soon as one is free, in the order of the calls. The slot's own environment comes from it. It is stopped when it has run
   * for `timeoutMs`; null: never.
   */
  enqueue(
    tag: number,
    command: Uint8Array,
    env: Readonly<Record<string, string>>,
    timeoutMs: number | null,
  ): void;
  /** Gives back what was enqueued and has no slot yet, through `onRecalled`. */
  recall(): void;
  stop(tag: number, graceMs: number): void;
  /** One at a time; the answer comes back through `onExchanged`. */
  exchange(request: ExchangeRequest): void;
  /** Calls `onReminder` after a moment (some 250 ms). Asked for once at a time. */
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
  /** What PERENGINE commands find beside the variables of the engine. */
  readonly perEngineEnv?: Readonly<Record<string, string>>;
  /** Ends other than success are held back for a moment: a signal may explain them (`onStopSignal`). */
  readonly holdsFailures?: boolean;
  /** Bounds on one exchange. */
  readonly maxReports: number;
  readonly maxBytes: number;
  /** Claims at most so many tasks beyond the free slots. */
  readonly mostAhead?: number;
}
