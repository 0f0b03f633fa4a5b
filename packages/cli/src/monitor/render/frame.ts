import { cut } from "./cells.js";
import { type Line, type Span, fit, lineCells, span } from "./line.js";

/** The line above a pane: its title, and what else there is to say of it. The pane that has the keys is the bright one. */
export function rule(
  title: string,
  facts: readonly string[],
  right: string,
  focused: boolean,
  cells: number,
): Line {
  const dash = (length: number): Span => span("─".repeat(Math.max(0, length)), focused ? "key" : "faint");
  const left = [dash(2), span(` ${title} `, focused ? "title" : "plain")];
  for (const fact of facts) left.push(dash(1), span(` ${fact} `, "faint"));
  const end = right === "" ? [] : [span(` ${right} `, "faint"), dash(2)];
  const gap = cells - lineCells(left) - lineCells(end);
  return gap < 1 ? fit(left, cells) : [...left, dash(gap), ...end];
}

/** `1–11 of 1,003`, or nothing when all can be seen. */
export function extent(top: number, shown: number, all: number, number: (value: number) => string): string {
  return all <= shown ? "" : `${number(top + 1)}–${number(Math.min(all, top + shown))} of ${number(all)}`;
}

/** The piece of a scroll bar beside line `at` of `height`. */
export function scrollMark(at: number, top: number, height: number, all: number): Span {
  if (all <= height) return span(" ");
  const size = Math.max(1, Math.round((height * height) / all));
  const start = Math.round(((height - size) * top) / Math.max(1, all - height));
  return at >= start && at < start + size ? span("┃", "key") : span("│", "faint");
}

/** A framed box around lines of `cells` cells, with a blank margin at both sides. */
export function boxed(title: string, lines: readonly Line[], keys: string, cells: number): readonly Line[] {
  return [
    edge("╭", span(cut(title, cells - 2), "title"), "╮", cells),
    ...lines.map((line) => [span(" │ ", "key"), ...fit(line, cells), span(" │ ", "key")]),
    edge("╰", span(keys, "faint"), "╯", cells),
  ];
}

function edge(left: string, text: Span, right: string, cells: number): Line {
  const words = text.text === "" ? [] : [span(" "), text, span(" ")];
  const gap = Math.max(0, cells + 1 - lineCells(words));
  return [span(` ${left}─`, "key"), ...words, span(`${"─".repeat(gap)}${right} `, "key")];
}
