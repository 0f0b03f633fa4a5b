import type { EngineId, Task } from "@taskmuster/kvs/protocol";
import type { Card, Failure } from "./card.js";
import { type Cursor, firstItem, follow } from "./cursor.js";
import type { Dialog } from "./dialog.js";
import { type Contents, type Size, dialogRoom, layoutOf } from "./layout.js";
import { type Order, type PendingOrder, isTaken } from "./orders.js";
import type { Picture } from "./picture.js";
import { type Tree, type TreeView, treeOf } from "./rows.js";

/** Whether the run can be seen. `since`: ms, monotonic, of the last answer. */
export type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "unreachable"; readonly since: number; readonly why: string }
  | { readonly kind: "ended"; readonly end: RunEnd | null };

/** What is on disk of a run's end. */
export interface RunEnd {
  /** `finished`, `drained`, `failFast` ... */
  readonly reason: string;
  readonly done: number | null;
}

export interface Message {
  readonly text: string;
  readonly tone: "good" | "bad" | "plain";
  readonly until: number;
}

/** All that the screen shows, and where the person is in it. */
export interface Model {
  readonly now: number;
  readonly size: Size;
  readonly prefix: string;
  readonly link: Link;
  readonly picture: Picture | null;
  readonly view: TreeView;
  readonly tree: Tree;
  readonly pane: "engines" | "failures";
  readonly engineCursor: Cursor;
  readonly failureCursor: Cursor;
  /** The filter is being typed. */
  readonly filtering: boolean;
  readonly dialog: Dialog | null;
  readonly message: Message | null;
  readonly pending: readonly PendingOrder[];
}

/** What comes from outside, but for keys. */
export type Happening =
  | { readonly kind: "picture"; readonly picture: Picture }
  | { readonly kind: "ended"; readonly end: RunEnd | null }
  | { readonly kind: "unreachable"; readonly since: number; readonly why: string }
  | { readonly kind: "resized"; readonly size: Size }
  | { readonly kind: "claims"; readonly engine: EngineId; readonly tasks: readonly Task[] }
  | { readonly kind: "found"; readonly task: number; readonly card: Card }
  /** An order could not be handed over. */
  | { readonly kind: "refused"; readonly order: Order; readonly why: string }
  | { readonly kind: "tick" };

export function newModel(prefix: string, size: Size, now: number): Model {
  return {
    now,
    size,
    prefix,
    link: { kind: "connecting" },
    picture: null,
    view: { sort: "rank", filter: "", collapsed: new Set(), showGone: false },
    tree: { rows: [], hiddenGone: 0 },
    pane: "engines",
    engineCursor: firstItem,
    failureCursor: firstItem,
    filtering: false,
    dialog: null,
    message: null,
    pending: [],
  };
}

/** `now` in ms, monotonic. */
export function happened(model: Model, happening: Happening, now: number): Model {
  return settled(changed({ ...model, now, message: stillSaid(model.message, now) }, happening));
}

function changed(model: Model, happening: Happening): Model {
  switch (happening.kind) {
    case "picture":
      return withOrders({ ...model, link: { kind: "live" }, picture: happening.picture });
    case "ended":
      return {
        ...model,
        link: happening,
        picture: model.picture === null ? null : atItsEnd(model.picture, happening.end),
        pending: [],
      };
    case "unreachable":
      return { ...model, link: happening };
    case "resized":
      return { ...model, size: happening.size };
    case "claims":
      return model.dialog?.kind === "engine" && model.dialog.engine === happening.engine
        ? { ...model, dialog: { ...model.dialog, tasks: happening.tasks } }
        : model;
    case "found":
      return model.dialog?.kind === "search" && model.dialog.task === happening.task
        ? { ...model, dialog: { kind: "card", card: happening.card, top: 0, under: null } }
        : model;
    case "refused": {
      const pending = model.pending.filter(({ order }) => order !== happening.order);
      return said({ ...model, pending }, `${happening.order.what}: ${happening.why}`, "bad");
    }
    case "tick":
      return model;
  }
}

/** The last look was a little before the end: what is on disk knows better what was done. */
function atItsEnd(picture: Picture, end: RunEnd | null): Picture {
  const { totals } = picture;
  const done = Math.max(totals.done, end?.done ?? 0);
  const unfinished = totals.left + totals.running - (done - totals.done);
  return { ...picture, totals: { ...totals, done, running: 0, left: Math.max(0, unfinished) } };
}

/** Brings all that follows from the rest in line with it. */
export function settled(model: Model): Model {
  const { picture, view, now } = model;
  const tree = picture === null ? model.tree : treeOf(picture, view, now);
  const layout = layoutOf(model.size, contentsOf({ ...model, tree }));
  // Whoever is not reading them wants to see the newest.
  const failureCursor = model.pane === "failures" ? model.failureCursor : firstItem;
  const rowKeys = tree.rows.map(({ key }) => key);
  return {
    ...model,
    tree,
    engineCursor: follow(model.engineCursor, rowKeys, layout.engines),
    failureCursor: follow(failureCursor, failuresOf(model).map(failureKey), layout.failures),
    dialog: settledDialog(model),
  };
}

function settledDialog({ dialog, size }: Model): Dialog | null {
  if (dialog?.kind !== "engine" || dialog.tasks === null) return dialog;
  const cursor = follow(dialog.cursor, dialog.tasks.map(taskKey), dialogRoom(size).lines - 2);
  return { ...dialog, cursor };
}

export function said(model: Model, text: string, tone: Message["tone"] = "plain"): Model {
  return { ...model, message: { text, tone, until: model.now + messageMs } };
}

function stillSaid(message: Message | null, now: number): Message | null {
  return message !== null && now < message.until ? message : null;
}

/** Takes away the orders that have been taken, and says so. */
function withOrders(model: Model): Model {
  const { picture } = model;
  if (picture === null || model.pending.length === 0) return model;
  const taken = model.pending.filter(({ order }) => isTaken(picture, order));
  const pending = model.pending.filter(({ order }) => !isTaken(picture, order));
  if (taken.length === 0) return model;
  const names = taken.map(({ order }) => order.what).join(", ");
  const verb = taken.length === 1 ? "retires: it finishes what it runs" : "retire: they finish what they run";
  return said({ ...model, pending }, `${names} ${verb}, and takes nothing new.`, "good");
}

export function contentsOf(model: Model): Contents {
  return { rows: model.tree.rows.length, failures: failuresOf(model).length, pane: model.pane };
}

export function failuresOf(model: Model): readonly Failure[] {
  return model.picture?.run?.failures ?? [];
}

export function failureKey({ id, perEngine, host, end }: Failure): string {
  return `${perEngine ? "P" : ""}${id} ${host} ${end}`;
}

export function taskKey({ id, attempt }: Task): string {
  return `${id} ${attempt}`;
}

const messageMs = 8_000;
