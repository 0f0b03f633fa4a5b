import { layoutOf, least } from "../model/layout.js";
import { type Model, contentsOf } from "../model/model.js";
import { dialogLines } from "./dialogs.js";
import { engineLines } from "./engines.js";
import { failureLines } from "./failures.js";
import { detailLine, keyLine } from "./footer.js";
import { headerLines } from "./header.js";
import { type Line, lineCells, overlay, span } from "./line.js";
import { type Look, painted } from "./palette.js";

/** The whole screen: as many lines as it has rows, each exactly as wide as it is. */
export function render(model: Model, look: Look): readonly string[] {
  const { columns, rows } = model.size;
  const lines = screenLines(model);
  return Array.from({ length: rows }, (_, at) => painted(lines[at] ?? [], columns, look));
}

function screenLines(model: Model): readonly Line[] {
  const { columns, rows } = model.size;
  if (columns < least.columns || rows < least.rows) {
    return [
      [span(`This window has ${columns} × ${rows};`)],
      [span(`it takes at least ${least.columns} × ${least.rows}.`)],
      [span("q", "key"), span(" quit")],
    ];
  }
  const layout = layoutOf(model.size, contentsOf(model));
  const lines = [
    ...headerLines(model),
    ...(layout.air ? [[]] : []),
    ...engineLines(model, layout),
    ...failureLines(model, layout),
    detailLine(model),
    keyLine(model),
  ];
  return model.dialog === null ? lines : covered(lines, dialogLines(model.dialog, model.size), columns);
}

/** The box in the middle of the screen. */
function covered(lines: readonly Line[], box: readonly Line[], columns: number): readonly Line[] {
  const top = Math.max(0, Math.floor((lines.length - box.length) / 2));
  return lines.map((line, at) => {
    const inset = box[at - top];
    if (inset === undefined) return line;
    return overlay(line, Math.max(0, Math.floor((columns - lineCells(inset)) / 2)), inset, columns);
  });
}
