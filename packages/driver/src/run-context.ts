import type { ContextId } from "@taskmuster/kvs/protocol";

/** A batch of resources as the driver sees it. */
export interface RunContext {
  readonly id: ContextId;
  /** At most so many tasks (`-C`); null: no limit. */
  readonly taskLimit: number | null;
  /** Resolves when everything of it is dead, by proof. */
  readonly gone: Promise<{ readonly ok: boolean; readonly message: string }>;
  /** Asks its engines to stop their tasks and go, without the store. */
  terminate(): void;
  /** Kills its engines; their guardians kill the tasks. */
  kill(): void;
}
