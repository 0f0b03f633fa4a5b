import type { Key } from "../keys.js";
import { failureCard } from "./card.js";
import { firstItem, moved, stepOf } from "./cursor.js";
import { pressInDialog } from "./dialog-keys.js";
import type { Pressed } from "./effect.js";
import { layoutOf } from "./layout.js";
import { type Model, contentsOf, failureKey, failuresOf, said, settled } from "./model.js";
import { retireContext, retireEngine } from "./orders.js";
import type { ContextPicture } from "./picture.js";
import { type Row, sorts } from "./rows.js";

/** What a key does. `now` in ms, monotonic. */
export function pressed(before: Model, key: Key, now: number): Pressed {
  const model: Model = { ...before, now, message: null };
  const { model: after, effect } = press(model, key);
  return { model: settled(after), effect };
}

function press(model: Model, key: Key): Pressed {
  switch (key) {
    case "ctrl-c":
      return { model, effect: { kind: "quit" } };
    case "ctrl-z":
      return { model, effect: { kind: "suspend" } };
    case "ctrl-l":
      return { model, effect: { kind: "redraw" } };
    default:
      if (model.dialog !== null) return pressInDialog(model, model.dialog, key);
      return model.filtering ? still(typeFilter(model, key)) : pressOnScreen(model, key);
  }
}

function still(model: Model): Pressed {
  return { model, effect: null };
}

function typeFilter(model: Model, key: Key): Model {
  const { view } = model;
  switch (key) {
    case "enter":
      return { ...model, filtering: false };
    case "escape":
      return { ...model, filtering: false, view: { ...view, filter: "" } };
    case "backspace":
      return { ...model, view: { ...view, filter: [...view.filter].slice(0, -1).join("") } };
    case "ctrl-u":
      return { ...model, view: { ...view, filter: "" } };
    default:
      if ([...key].length > 1) return model;
      return { ...model, engineCursor: firstItem, view: { ...view, filter: view.filter + key } };
  }
}

function pressOnScreen(model: Model, key: Key): Pressed {
  const { view } = model;
  const movement = move(model, key);
  if (movement !== null) return still(movement);
  switch (key) {
    case "tab":
    case "backtab":
      return still({ ...model, pane: model.pane === "engines" ? "failures" : "engines" });
    case "enter":
      return model.pane === "engines" ? open(model, selectedRow(model)) : still(openFailure(model));
    case "left":
    case "right":
      return still(fold(model, key === "left"));
    case "/":
      return still({ ...model, pane: "engines", filtering: true });
    case "s": {
      const sort = sorts[(sorts.indexOf(view.sort) + 1) % sorts.length] ?? "rank";
      return still(said({ ...model, view: { ...view, sort } }, `sorted by ${sort}`));
    }
    case "g": {
      const showGone = !view.showGone;
      const text = showGone ? "engines that are gone are shown" : "engines that are gone are hidden";
      return still(said({ ...model, view: { ...view, showGone } }, text));
    }
    case "r":
    case "E":
      return still(retire(model, false));
    case "C":
      return still(retire(model, true));
    case "t":
      return still({ ...model, dialog: { kind: "askTask", digits: "" } });
    case "h":
    case "?":
      return still({ ...model, dialog: { kind: "help" } });
    case "q":
      return { model, effect: { kind: "quit" } };
    case "escape":
      if (view.filter !== "") return still({ ...model, view: { ...view, filter: "" } });
      return { model, effect: model.link.kind === "ended" ? { kind: "quit" } : null };
    default:
      if (model.link.kind === "ended") return { model, effect: { kind: "quit" } };
      return still(
        said(model, `the key ${key === " " ? "space" : key} does nothing here; ? lists what keys do`),
      );
  }
}

function move(model: Model, key: Key): Model | null {
  const failures = failuresOf(model);
  const layout = layoutOf(model.size, contentsOf(model));
  const height = model.pane === "engines" ? layout.engines : layout.failures;
  const step = stepOf(key, height);
  if (step === null) return null;
  if (model.pane === "failures") {
    const failureCursor = moved(model.failureCursor, step, failures.map(failureKey), height);
    return { ...model, failureCursor };
  }
  const keys = model.tree.rows.map((row) => row.key);
  return { ...model, engineCursor: moved(model.engineCursor, step, keys, height) };
}

export function selectedRow(model: Model): Row | null {
  return model.tree.rows[model.engineCursor.index] ?? null;
}

function open(model: Model, row: Row | null): Pressed {
  switch (row?.kind) {
    case undefined:
      return still(model);
    case "context":
      return still(fold(model, !model.view.collapsed.has(row.key)));
    case "node":
      return still(said(model, `${row.host}: ${row.condition.why}`));
    case "engine": {
      const title = `Engine ${row.rank} on ${row.host}, context ${row.context}`;
      const dialog = { kind: "engine", engine: row.id, title, tasks: null, cursor: firstItem } as const;
      return { model: { ...model, dialog }, effect: { kind: "claims", engine: row.id } };
    }
  }
}

function openFailure(model: Model): Model {
  const failure = failuresOf(model)[model.failureCursor.index];
  if (failure === undefined) return model;
  const card = failureCard(failure, model.picture?.run?.now ?? 0);
  return { ...model, dialog: { kind: "card", card, top: 0, under: null } };
}

/** Hides or shows the engines of the context that the cursor is in. */
function fold(model: Model, hide: boolean): Model {
  const row = selectedRow(model);
  if (row === null || model.pane === "failures") return model;
  const key = row.kind === "context" ? row.key : `context ${row.context}`;
  const collapsed = new Set(model.view.collapsed);
  if (hide) collapsed.add(key);
  else collapsed.delete(key);
  const engineCursor = hide ? { ...model.engineCursor, key } : model.engineCursor;
  return { ...model, view: { ...model.view, collapsed }, engineCursor };
}

function retire(model: Model, wholeContext: boolean): Model {
  const { picture } = model;
  const row = model.pane === "engines" ? selectedRow(model) : null;
  if (model.link.kind === "ended") return said(model, "the run has ended: there is nothing to retire", "bad");
  if (picture === null || row === null) return said(model, "choose an engine or a context first");
  if (!wholeContext && row.kind === "node") return said(model, `no engine has joined from ${row.host}`);
  if (!wholeContext && row.kind === "engine") {
    const name = `engine ${row.rank}`;
    if (row.goneSince !== null) return said(model, `${name} is gone already`);
    if (row.retiring) return said(model, `${name} retires already`);
    return { ...model, dialog: { kind: "confirm", question: retireEngine(picture, row) } };
  }
  const context = contextOf(picture.contexts, row);
  if (context === undefined) return model;
  if (context.goneSince !== null) return said(model, `context ${context.label} is gone already`);
  if (context.retiring) return said(model, `context ${context.label} retires already`);
  return { ...model, dialog: { kind: "confirm", question: retireContext(picture, context) } };
}

function contextOf(contexts: readonly ContextPicture[], row: Row): ContextPicture | undefined {
  return row.kind === "context" ? row : contexts.find(({ label }) => label === row.context);
}
