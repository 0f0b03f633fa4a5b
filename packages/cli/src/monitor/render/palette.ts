import { cellsOf } from "./cells.js";
import { type Line, type Style, fit } from "./line.js";

/**
 * `colour`; `mono`: bold, faint and reverse only (`NO_COLOR`); `plain`: nothing but text (`TERM=dumb`). Nothing is told by colour
 * alone.
 */
export interface Look {
  readonly colours: "colour" | "mono" | "plain";
  /** Else every character that is not ASCII is written as one that is. */
  readonly utf8: boolean;
}

/** `LC_ALL` over `LC_CTYPE` over `LANG`, as the C library has it. */
export function lookOf(env: Readonly<Record<string, string | undefined>>): Look {
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((value) => (value ?? "") !== "");
  return {
    colours: env["TERM"] === "dumb" ? "plain" : (env["NO_COLOR"] ?? "") === "" ? "colour" : "mono",
    utf8: /utf-?8/i.test(locale ?? ""),
  };
}

// The sixteen colours that a person's terminal has chosen, so that it is legible on dark and on light ones. Faint rather than
// "bright black", which some of them make invisible.
const colour: Readonly<Record<Style, string>> = {
  plain: "",
  strong: "1",
  faint: "2",
  title: "1;36",
  good: "32",
  bad: "1;31",
  warning: "33",
  busy: "33",
  starting: "36",
  skipped: "34",
  key: "36",
  selected: "30;46",
};
const mono: Readonly<Record<Style, string>> = {
  plain: "",
  strong: "1",
  faint: "2",
  title: "1",
  good: "",
  bad: "1",
  warning: "1",
  busy: "",
  starting: "",
  skipped: "",
  key: "1",
  selected: "7",
};

/** The text that a terminal is sent for a line: exactly `cells` cells wide. */
export function painted(line: Line, cells: number, look: Look): string {
  let text = "";
  for (const { text: raw, style } of fit(line, cells)) {
    const shown = look.utf8 ? raw : inAscii(raw);
    const code = look.colours === "plain" ? "" : (look.colours === "mono" ? mono : colour)[style];
    text += code === "" ? shown : `\u001b[${code}m${shown}\u001b[m`;
  }
  return text;
}

/** All of a line in one style: the one under the cursor. */
export function inStyle(line: Line, style: Style): Line {
  return [{ text: line.map(({ text }) => text).join(""), style }];
}

const asciiOf = new Map(
  Object.entries({
    "…": "~",
    "·": "-",
    "─": "-",
    "━": "=",
    "│": "|",
    "┃": "#",
    "╭": "+",
    "╮": "+",
    "╰": "+",
    "╯": "+",
    "█": "#",
    "▓": ":",
    "▒": ">",
    "░": ".",
    "▚": "x",
    "▌": ">",
    "▾": "v",
    "▸": ">",
    "●": "*",
    "○": "o",
    "◐": "/",
    "✗": "x",
    "▲": "!",
    "↑": "^",
    "↓": "v",
    "→": ">",
    "×": "x",
    "–": "-",
    "—": "-",
  }),
);

function inAscii(text: string): string {
  return text.replace(/[^ -~]/gu, (character) => asciiOf.get(character) ?? "?".repeat(cellsOf(character)));
}
