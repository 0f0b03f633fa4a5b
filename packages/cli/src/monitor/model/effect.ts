import type { EngineId } from "@taskmuster/kvs/protocol";
import type { Model } from "./model.js";
import type { Order } from "./orders.js";

/** What is to be done outside after a key. */
export type Effect =
  | { readonly kind: "quit" }
  | { readonly kind: "suspend" }
  | { readonly kind: "redraw" }
  | { readonly kind: "ask"; readonly order: Order }
  | { readonly kind: "claims"; readonly engine: EngineId }
  | { readonly kind: "find"; readonly task: number };

export interface Pressed {
  readonly model: Model;
  readonly effect: Effect | null;
}
