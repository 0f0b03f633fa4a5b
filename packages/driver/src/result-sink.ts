import type { StatusRow } from "./core/status-line/index.js";

/** Whom the rows of a run are told, beside the status file. */
export interface ResultSink {
  /** To be called when the rows are on disk, in their order. Rejects when the store is lost. */
  publish(rows: readonly StatusRow[]): Promise<void>;
  /** A barrier with a key has been passed. */
  post(key: string, value: string): Promise<void>;
}
