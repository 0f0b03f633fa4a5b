import type { KvsStore } from "@taskmuster/kvs";
import type { ClaimedTask, EngineId, FencingToken } from "@taskmuster/kvs/protocol";

/** What a driver does with its store. */
export interface DriverStore extends Pick<
  KvsStore,
  | "publish"
  | "withdraw"
  | "receive"
  | "acknowledge"
  | "order"
  | "expel"
  | "expire"
  | "beat"
  | "post"
  | "close"
  | "enrol"
  | "snapshot"
  | "claimsOf"
  | "waitForBell"
  | "disconnect"
> {
  /** The store has forgotten, and engines are waited for: whoever rings may be one of them. */
  readonly reuniting?: boolean;
  /** Called once, before the run begins. */
  listen?(listener: StoreListener): void;
}

/** What becomes of a store that outlives its server. All are called at once, and in this order. */
export interface StoreListener {
  /** It has forgotten: what was published and has not ended may be anywhere. Nothing is published before this returns. */
  onForgotten(why: string): void;
  /** It holds the run again, under this token. */
  onReopened(token: FencingToken): void;
  /** An engine came back, and has these. */
  onAnnounced(engine: EngineId, claims: readonly ClaimedTask[]): void;
  /** All who could have come back, or are dead: what nobody has announced is nobody's any more. */
  onSettled(): void;
  /** Somebody should look who is there. */
  onLookDue(): void;
  /** It does not answer, and has not for a moment; told once. */
  onSilent(): void;
  /** It answers again. */
  onAnswer(silentMs: number): void;
  /** For a limit: tasks whose ends this engine has told. */
  tasksReportedBy(engine: EngineId): number;
}
