import type { Key } from "../keys.js";
import { cardLines, claimCard } from "./card.js";
import { moved, stepOf } from "./cursor.js";
import type { Dialog, EngineDialog } from "./dialog.js";
import type { Pressed } from "./effect.js";
import { dialogRoom } from "./layout.js";
import { type Model, taskKey } from "./model.js";

/** What a key does while a dialog has the keys. */
export function pressInDialog(model: Model, dialog: Dialog, key: Key): Pressed {
  switch (dialog.kind) {
    case "help":
      return still({ ...model, dialog: null });
    case "confirm":
      return answer(model, dialog, key);
    case "engine":
      return inEngine(model, dialog, key);
    case "card":
      return still({ ...model, dialog: inCard(model, dialog, key) });
    case "askTask":
      return typeTask(model, dialog.digits, key);
    case "search":
      return still(isClosing(key) ? { ...model, dialog: null } : model);
  }
}

function still(model: Model): Pressed {
  return { model, effect: null };
}

function isClosing(key: Key): boolean {
  return key === "escape" || key === "q" || key === "enter" || key === "left" || key === "backspace";
}

function answer(model: Model, dialog: Dialog & { kind: "confirm" }, key: Key): Pressed {
  switch (key) {
    case "y":
    case "Y": {
      const { order } = dialog.question;
      const pending = [...model.pending, { order, askedAt: model.now }];
      return { model: { ...model, dialog: null, pending }, effect: { kind: "ask", order } };
    }
    // Enter is not yes: whoever opens something twice in a row retires nothing.
    case "n":
    case "N":
    case "c":
    case "C":
    case "q":
    case "escape":
      return still({ ...model, dialog: null });
    default:
      return still(model);
  }
}

function inEngine(model: Model, dialog: EngineDialog, key: Key): Pressed {
  const tasks = dialog.tasks ?? [];
  const height = dialogRoom(model.size).lines - 2;
  const step = stepOf(key, height);
  if (step !== null) {
    const cursor = moved(dialog.cursor, step, tasks.map(taskKey), height);
    return still({ ...model, dialog: { ...dialog, cursor } });
  }
  const task = tasks[dialog.cursor.index];
  if (key === "enter" && task !== undefined) {
    const place = dialog.title.charAt(0).toLowerCase() + dialog.title.slice(1);
    return still({
      ...model,
      dialog: { kind: "card", card: claimCard(task, place), top: 0, under: dialog },
    });
  }
  return still(isClosing(key) ? { ...model, dialog: null } : model);
}

function inCard(model: Model, dialog: Dialog & { kind: "card" }, key: Key): Dialog | null {
  const { cells, lines } = dialogRoom(model.size);
  const step = stepOf(key, lines);
  if (step === null) return isClosing(key) ? dialog.under : dialog;
  const lowest = Math.max(0, cardLines(dialog.card, cells).length - lines);
  return { ...dialog, top: Math.max(0, Math.min(dialog.top + step, lowest)) };
}

function typeTask(model: Model, digits: string, key: Key): Pressed {
  if (/^\d$/.test(key) && digits.length < 15) {
    return still({ ...model, dialog: { kind: "askTask", digits: digits + key } });
  }
  switch (key) {
    case "backspace":
      return still({ ...model, dialog: { kind: "askTask", digits: digits.slice(0, -1) } });
    case "escape":
    case "q":
      return still({ ...model, dialog: null });
    case "enter": {
      if (digits === "") return still({ ...model, dialog: null });
      const task = Number(digits);
      return { model: { ...model, dialog: { kind: "search", task } }, effect: { kind: "find", task } };
    }
    default:
      return still(model);
  }
}
