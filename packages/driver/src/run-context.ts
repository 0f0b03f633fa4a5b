import type { KvsAddress } from "@taskmuster/kvs";
import type { ContextId, ContextInfo, EngineId, RunId } from "@taskmuster/kvs/protocol";

/** How one engine of a context ended, as the one that started it sees it. */
export interface EngineGone {
  readonly ok: boolean;
  /** What it said last, when it failed. */
  readonly message: string;
  /** It and all that it ran are dead for certain; else only its lease, or its own word, can tell. */
  readonly proven: boolean;
}

/** A batch of resources that this process has started. Others that join the run are only seen in the store. */
export interface RunContext {
  readonly id: ContextId;
  /** Its engines may take so long to join. */
  readonly startMs: number;
  /** Resolves when all its engines are gone, as far as can be told. */
  readonly gone: Promise<{ readonly ok: boolean; readonly message: string }>;
  /** Those that have not ended, whether they have joined or not. */
  readonly engines: readonly EngineId[];
  onEngineGone(listener: (engine: EngineId, gone: EngineGone) => void): void;
  /**
   * Nobody needs to wait for an engine of it, or for what connects us to it. One that is not of this context is passed over. `why` is for
   * people; empty: they have been told.
   */
  drop(engine: EngineId, why: string): void;
  /** Asks its engines to stop their tasks and go, without the store. */
  terminate(): void;
  /** Kills its engines; their guardians kill the tasks. */
  kill(): void;
}

/** A context that is started before the store is ready, so that both start-ups overlap, and told of it later. */
export interface StartingContext extends Omit<RunContext, "id"> {
  /** As in `EnrolRequest`. */
  readonly label: string;
  readonly exactLabel: boolean;
  readonly taskLimit: number | null;
  readonly slots: number;
  /** What it says of itself now. */
  readonly info: ContextInfo;
  /** Called when that has changed. */
  onNews(listener: () => void): void;
  begin(store: {
    readonly runId: RunId;
    readonly address: KvsAddress;
    readonly context: ContextId;
    readonly leaseMs: number;
  }): void;
}
