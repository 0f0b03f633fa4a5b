import type { EngineId, Task } from "@taskmuster/kvs/protocol";
import type { Card } from "./card.js";
import type { Cursor } from "./cursor.js";
import type { Question } from "./orders.js";

/** What lies over the screen and has the keys. */
export type Dialog =
  | { readonly kind: "help" }
  | { readonly kind: "confirm"; readonly question: Question }
  | EngineDialog
  | { readonly kind: "card"; readonly card: Card; readonly top: number; readonly under: Dialog | null }
  | { readonly kind: "askTask"; readonly digits: string }
  | { readonly kind: "search"; readonly task: number };

/** What an engine holds now. */
export interface EngineDialog {
  readonly kind: "engine";
  readonly engine: EngineId;
  readonly title: string;
  /** Null: not known yet. */
  readonly tasks: readonly Task[] | null;
  readonly cursor: Cursor;
}
