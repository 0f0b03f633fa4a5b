import type { EngineId, ExchangeRequest, Outcome, Report } from "@taskmuster/kvs/protocol";

/** What an engine's core asks of the world. */
export interface EnginePort {
  launch(tag: number, command: Uint8Array, env: Readonly<Record<string, string>>): void;
  stop(tag: number, graceMs: number): void;
  /** One at a time; the answer comes back through `onExchanged`. */
  exchange(request: ExchangeRequest): void;
  /** Calls `onReminder` after a moment (some 50 ms). Asked for once at a time. */
  remind(): void;
  /** Nothing is left to do or to be acknowledged. */
  leave(): void;
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
  /** Bounds on one exchange. */
  readonly maxReports: number;
  readonly maxBytes: number;
}
