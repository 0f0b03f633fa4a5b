import { clean, firstCells, textCells } from "./cells.js";

/** What a piece of text means; `palette.ts` knows what that looks like. */
export type Style =
  | "plain"
  | "strong"
  | "faint"
  | "title"
  | "good"
  | "bad"
  | "warning"
  | "busy"
  | "starting"
  | "skipped"
  | "key"
  /** The line under the cursor. */
  | "selected";

export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** One line of the screen, not yet coloured. Its texts are clean. */
export type Line = readonly Span[];

export function span(text: string, style: Style = "plain"): Span {
  return { text: clean(text), style };
}

export function lineCells(line: Line): number {
  let cells = 0;
  for (const { text } of line) cells += textCells(text);
  return cells;
}

/** Exactly `cells` cells: cut off, or filled with blanks. */
export function fit(line: Line, cells: number): Line {
  const fitted: Span[] = [];
  let left = cells;
  for (const each of line) {
    const needs = textCells(each.text);
    if (needs > left) {
      const text = firstCells(each.text, left);
      fitted.push({ text, style: each.style });
      left -= textCells(text);
      break;
    }
    fitted.push(each);
    left -= needs;
  }
  if (left > 0) fitted.push({ text: " ".repeat(left), style: "plain" });
  return fitted;
}

/** `left` at the left edge and `right` at the right one; when both do not fit, `left` gives way. */
export function spread(left: Line, right: Line, cells: number): Line {
  const room = cells - lineCells(right);
  if (right.length === 0 || room < 12) return fit(left, cells);
  return [...fit(left, room - 1), { text: " ", style: "plain" }, ...right];
}

/** `line` with `inset` laid over it from cell `at` on. */
export function overlay(line: Line, at: number, inset: Line, cells: number): Line {
  const whole = fit(line, cells);
  return [...fit(whole, at), ...inset, ...after(whole, at + lineCells(inset))];
}

/** What stands from cell `from` on. A wide character across that edge becomes blank. */
function after(line: Line, from: number): Line {
  const rest: Span[] = [];
  let at = 0;
  for (const each of line) {
    const cells = textCells(each.text);
    if (at >= from) rest.push(each);
    else if (at + cells > from) {
      const before = firstCells(each.text, from - at);
      let text = each.text.slice(before.length);
      if (textCells(before) < from - at) text = ` ${text.slice((text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1)}`;
      rest.push({ text, style: each.style });
    }
    at += cells;
  }
  return rest;
}
