import { type CardLine, cardLines, labelCells } from "../model/card.js";
import type { Dialog, EngineDialog } from "../model/dialog.js";
import { dialogRoom } from "../model/layout.js";
import type { Size } from "../model/layout.js";
import { cleanBytes, column, wrap } from "./cells.js";
import { boxed, extent } from "./frame.js";
import { type Line, span } from "./line.js";
import { count } from "./words.js";

/** A dialog as a box of lines, to be laid over the screen. */
export function dialogLines(dialog: Dialog, size: Size): readonly Line[] {
  const { cells, lines } = dialogRoom(size);
  switch (dialog.kind) {
    case "help":
      return boxed("What keys do", help, "any key closes this", helpCells);
    case "confirm": {
      const width = Math.min(cells, 66);
      const { question } = dialog;
      const text = question.lines.flatMap((line) => wrap(span(upper(line)).text, width));
      const answers: Line = [span("Y", "key"), span(" yes     "), span("N", "key"), span(" no")];
      return boxed(question.title, [[], ...text.map((line) => [span(line)]), [], answers], "", width);
    }
    case "engine":
      return engineBox(dialog, cells, lines);
    case "card": {
      const all = cardLines(dialog.card, cells);
      const shown = all.slice(dialog.top, dialog.top + lines);
      const range = extent(dialog.top, lines, all.length, count);
      const keys = range === "" ? "Esc closes this" : `${range} · ↑↓ scrolls · Esc closes this`;
      return boxed(span(dialog.card.title).text, shown.map(factLine), keys, cells);
    }
    case "askTask":
      return boxed(
        "Look at a task",
        [[span("number (TaskID of the status file): "), span(dialog.digits, "strong"), span("▌", "key")]],
        "Enter looks for it · Esc closes this",
        54,
      );
    case "search":
      return boxed("Look at a task", [[span(`looking for task ${dialog.task} …`)]], "Esc closes this", 54);
  }
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function factLine({ label, text, style }: CardLine): Line {
  return [span(label === null ? "" : column(label, labelCells), "faint"), span(text, style)];
}

function engineBox(dialog: EngineDialog, cells: number, lines: number): readonly Line[] {
  const { tasks, cursor, title } = dialog;
  if (tasks === null) return boxed(title, [[span("asking what it holds …")]], "Esc closes this", cells);
  if (tasks.length === 0) return boxed(title, [[span("It holds no task now.")]], "Esc closes this", cells);
  const height = lines - 2;
  const rows = tasks.slice(cursor.top, cursor.top + height).map((task, at): Line => {
    const numbers = [task.id, task.line, task.attempt].map((value) => column(String(value), 9, "right"));
    const isSelected = cursor.top + at === cursor.index;
    const text = column(`${numbers.join("")}   ${cleanBytes(task.command)}`, cells - 1);
    return isSelected ? [span("▌", "key"), span(text, "selected")] : [span(` ${text}`)];
  });
  const heads = ["TASK", "LINE", "ATTEMPT"].map((head) => column(head, 9, "right")).join("");
  const range = extent(cursor.top, height, tasks.length, count);
  const keys = `${range === "" ? "" : `${range} · `}Enter shows one · Esc closes this`;
  const claimed = `${tasks.length} now: it runs them, or is about to`;
  return boxed(
    title,
    [[span(` ${heads}   COMMAND`, "faint")], ...rows, [span(claimed, "faint")]],
    keys,
    cells,
  );
}

const helpCells = 56;

const helpEntries: readonly (readonly [string, string])[] = [
  ["↑↓ kj ud", "move"],
  ["PgUp PgDn", "move by a page"],
  ["Home End", "first, last"],
  ["← →", "fold, unfold"],
  ["Enter", "open"],
  ["Tab", "the other pane"],
  ["t", "look at a task"],
  ["/", "filter"],
  ["s", "sort"],
  ["g", "show gone engines"],
  ["r E", "retire engine"],
  ["C", "retire context"],
  ["Ctrl-L", "draw anew"],
  ["q", "quit"],
];

/** In two columns. */
const help: readonly Line[] = Array.from({ length: Math.ceil(helpEntries.length / 2) }, (_, row) =>
  [row, row + Math.ceil(helpEntries.length / 2)].flatMap((at) => {
    const [keys, what] = helpEntries[at] ?? ["", ""];
    return [span(column(keys, 11), "key"), span(column(what, 17))];
  }),
);
