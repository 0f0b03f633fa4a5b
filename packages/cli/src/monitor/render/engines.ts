import { duration } from "../../wording.js";
import type { Layout } from "../model/layout.js";
import type { Model } from "../model/model.js";
import type { ContextPicture, EnginePicture, Picture } from "../model/picture.js";
import type { Row } from "../model/rows.js";
import { clean, column, cut, cutStart } from "./cells.js";
import { type Columns, busyCells, busyText, columnsOf, contextPlace, heads } from "./engine-columns.js";
import { extent, rule, scrollMark } from "./frame.js";
import { type Line, type Span, type Style, fit, span } from "./line.js";
import { inStyle } from "./palette.js";
import { conditionGlyph, conditionText, count } from "./words.js";

/** The pane of contexts and engines: title, heads, and `layout.engines` rows. */
export function engineLines(model: Model, layout: Layout): readonly Line[] {
  const { size, tree, view, picture, engineCursor } = model;
  const cells = size.columns;
  const columns = columnsOf(model);
  const height = layout.engines;
  const lines: Line[] = [
    rule(
      "Contexts and engines",
      facts(model),
      extent(engineCursor.top, height, tree.rows.length, count),
      model.pane === "engines",
      cells,
    ),
    heads(columns),
  ];
  const shown = tree.rows.slice(engineCursor.top, engineCursor.top + height);
  const isLive = model.link.kind === "live";
  for (const [at, row] of shown.entries()) {
    const isSelected = engineCursor.top + at === engineCursor.index;
    const line = fit(rowLine(row, columns, view.collapsed.has(row.key), isLive), cells - 2);
    const shownLine = isLive ? line : inStyle(line, "faint");
    const hasKeys = isSelected && model.pane === "engines" && model.dialog === null;
    lines.push([
      ...(hasKeys
        ? [span("▌", "key"), ...inStyle(line, "selected")]
        : [span(isSelected ? "▌" : " ", "faint"), ...shownLine]),
      scrollMark(at, engineCursor.top, height, tree.rows.length),
    ]);
  }
  if (shown.length === 0) lines.push([], [span(`   ${emptyText(model, picture)}`, "faint")]);
  while (lines.length < height + 2) lines.push([]);
  return lines.slice(0, height + 2);
}

function facts({ view, tree, filtering, link }: Model): readonly string[] {
  const said = [...(link.kind === "live" ? [] : ["as last seen"]), `by ${view.sort}`];
  if (view.filter !== "" || filtering) said.push(`only "${view.filter}"`);
  if (tree.hiddenGone > 0) said.push(`${count(tree.hiddenGone)} gone, hidden`);
  return said;
}

function emptyText(model: Model, picture: Picture | null): string {
  if (picture === null) return "";
  if (model.view.filter !== "") return `nothing matches "${model.view.filter}"; Esc shows all`;
  if (model.tree.hiddenGone > 0) return "all engines are gone; g shows them";
  if (!(picture.run?.serves ?? false)) return "no engine has joined yet";
  const script = `${picture.run?.prefix ?? model.prefix}_dbUtil.sh`;
  return `no engine yet; to add some, run ${cutStart(clean(script), model.size.columns - 37)}`;
}

function rowLine(row: Row, columns: Columns, isCollapsed: boolean, isLive: boolean): Line {
  switch (row.kind) {
    case "context":
      return contextLine(row, columns, isCollapsed);
    case "engine":
      return engineLine(row, columns, isLive);
    case "node": {
      const { name, host, done, failed, limit, ends, last } = columns;
      const blank = busyCells(columns) + done + failed + limit + ends + last;
      return [
        span(`${column("–", name, "right")} ${column(clean(row.host), host)} ${" ".repeat(blank)}   `),
        ...condition(row, columns),
      ];
    }
  }
}

function contextLine(row: ContextPicture, columns: Columns, isCollapsed: boolean): Line {
  const { name, host } = columns;
  const over = row.goneSince !== null;
  const label = column(`${isCollapsed ? "▸" : "▾"} ${clean(row.label)}`, name);
  const limit = row.limit === null || row.limitLeft === null ? "" : `${count(row.limitLeft)} left`;
  return [
    span(`${label} ${column(contextPlace(row), host)} `, over ? "faint" : "strong"),
    ...numbers(row, columns, limit, ""),
    ...condition(row, columns),
  ];
}

function engineLine(row: EnginePicture, columns: Columns, isLive: boolean): Line {
  const { name, host } = columns;
  const over = row.goneSince !== null;
  const heard = over || !isLive ? "" : duration(row.heardMs / 1000);
  return [
    span(
      `${column(String(row.rank), name, "right")} ${column(clean(row.host), host)} `,
      over ? "faint" : "plain",
    ),
    ...numbers(row, columns, "", heard),
    ...condition(row, columns),
  ];
}

function numbers(row: ContextPicture | EnginePicture, columns: Columns, limit: string, heard: string): Line {
  const over = row.goneSince !== null;
  const plain: Style = over ? "faint" : "plain";
  const ends = row.endsInSeconds === null || over ? "" : duration(row.endsInSeconds);
  return [
    ...(over ? [span(" ".repeat(busyCells(columns)))] : busyBar(row, columns)),
    span(column(count(row.done), columns.done, "right"), plain),
    span(column(count(row.failed), columns.failed, "right"), row.failed > 0 && !over ? "bad" : plain),
    span(column(limit, columns.limit, "right"), plain),
    span(
      column(ends, columns.ends, "right"),
      (row.endsInSeconds ?? Infinity) < soonSeconds ? "warning" : plain,
    ),
    span(column(heard, columns.last, "right"), row.condition.kind === "late" ? "bad" : plain),
    span("   "),
  ];
}

const soonSeconds = 300;

/** A small bar with `3/4` beside it. */
function busyBar(row: ContextPicture | EnginePicture, { bar, busy }: Columns): readonly Span[] {
  const text = span(column(busyText(row), busy, "right"));
  if (bar === 0) return [text];
  const full = row.slots === 0 ? 0 : Math.min(bar, Math.ceil((bar * row.busy) / row.slots));
  return [span("━".repeat(full), "busy"), span("─".repeat(bar - full), "faint"), span(" "), text];
}

function condition(row: Row, { state }: Columns): readonly Span[] {
  const [glyph, style] = conditionGlyph(row.condition.kind);
  const text = cut(clean(conditionText(row.condition)), state - 2);
  return [span(`${glyph} `, style), span(text, row.condition.kind === "running" ? "plain" : style)];
}
