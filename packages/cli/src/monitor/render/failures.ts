import { returnCodeText } from "../../wording.js";
import { type Failure, ago } from "../model/card.js";
import type { Layout } from "../model/layout.js";
import { type Model, failuresOf } from "../model/model.js";
import { clean, cleanBytes, column, cut, textCells } from "./cells.js";
import { extent, rule } from "./frame.js";
import { type Line, fit, lineCells, span } from "./line.js";
import { inStyle } from "./palette.js";
import { count } from "./words.js";

/** The pane of the newest failures: title, and two lines for each. */
export function failureLines(model: Model, layout: Layout): readonly Line[] {
  const { size, failureCursor, picture } = model;
  const failures = failuresOf(model);
  const focused = model.pane === "failures";
  const all = (picture?.totals.failed ?? 0) + (picture?.totals.perEngineFailed ?? 0);
  const facts =
    failures.length === 0
      ? ["none so far"]
      : all > failures.length
        ? [`the newest ${failures.length} of ${count(all)}`]
        : [];
  const right = extent(failureCursor.top, layout.failures, failures.length, count);
  const clockMs = picture?.run?.now ?? 0;
  const columns = columnsOf(failures, clockMs);
  const lines: Line[] = [rule("Failures", facts, right, focused, size.columns)];
  if (layout.failureHeads) {
    const { task, result, host, ended } = columns;
    const heads = `${column("TASK", task)}  ${column("RESULT", result)}  ${column("HOST", host)}  ${column("ENDED", ended)}`;
    lines.push([span(`  ${heads}  COMMAND, AND ITS LAST WORDS`, "faint")]);
  }
  const shown = failures.slice(failureCursor.top, failureCursor.top + layout.failures);
  for (const [at, failure] of shown.entries()) {
    const isSelected = failureCursor.top + at === failureCursor.index && focused;
    const hasKeys = isSelected && model.dialog === null;
    for (const line of failurePair(failure, columns, clockMs, size.columns - 2)) {
      const whole = fit(line, size.columns - 2);
      lines.push(
        hasKeys
          ? [span("▌", "key"), ...inStyle(whole, "selected")]
          : [span(isSelected ? "▌" : " ", "faint"), ...whole],
      );
    }
  }
  return lines;
}

interface Columns {
  readonly task: number;
  readonly result: number;
  readonly host: number;
  readonly ended: number;
}

function columnsOf(failures: readonly Failure[], clockMs: number): Columns {
  const longest = (least: number, most: number, textOf: (failure: Failure) => string) =>
    Math.min(most, Math.max(least, ...failures.map((failure) => textCells(textOf(failure)))));
  return {
    task: longest(4, 15, nameOf),
    result: longest(6, 20, resultOf),
    host: longest(4, 16, ({ host }) => clean(host)),
    ended: longest(9, 14, ({ end }) => ago(clockMs / 1000 - end)),
  };
}

function nameOf({ perEngine, id }: Failure): string {
  return perEngine ? "PERENGINE" : String(id);
}

function resultOf({ returnCode, timedOut }: Failure): string {
  return timedOut ? "timed out" : returnCodeText(returnCode);
}

function failurePair(
  failure: Failure,
  { task, result, host, ended }: Columns,
  clockMs: number,
  cells: number,
): readonly [Line, Line] {
  const first = [
    span(` ${column(nameOf(failure), task)}  `),
    span(column(resultOf(failure), result), "bad"),
    span(`  ${column(clean(failure.host), host)}  ${column(ago(clockMs / 1000 - failure.end), ended)}  `),
  ];
  const words = lastWords(failure.lastWords);
  const indent = " ".repeat(1 + task + 2);
  return [
    [...first, span(cut(cleanBytes(failure.command).trim(), cells - lineCells(first)))],
    [span(indent), span(words === "" ? "(no last words)" : cut(words, cells - indent.length), "faint")],
  ];
}

/** The last line that says something. */
function lastWords(bytes: Uint8Array): string {
  const lines = new TextDecoder().decode(bytes).split(/[\r\n]+/);
  return span(lines.findLast((line) => line.trim() !== "") ?? "").text.trim();
}
