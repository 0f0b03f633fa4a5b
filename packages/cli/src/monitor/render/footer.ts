import { duration, failureText, plural } from "../../wording.js";
import { type Model, failuresOf } from "../model/model.js";
import { selectedRow } from "../model/press.js";
import type { Row } from "../model/rows.js";
import { cut } from "./cells.js";
import { type Line, type Span, type Style, lineCells, span, spread } from "./line.js";
import { conditionText, count } from "./words.js";

/** After so long a person is told that the driver has not taken an order yet. */
const slowMs = 5_000;

/** The line above the keys: what has been said last, else all about what is under the cursor. */
export function detailLine(model: Model): Line {
  const cells = model.size.columns - 2;
  const text = (words: string, style: Style): Line => [span(" "), span(cut(span(words).text, cells), style)];
  if (model.filtering) {
    return [span(" filter: ", "title"), span(model.view.filter), span("▌", "key")];
  }
  const [waiting] = model.pending;
  if (model.message !== null) {
    const { tone } = model.message;
    return text(model.message.text, tone === "plain" ? "strong" : tone);
  }
  if (waiting !== undefined) {
    const waited = model.now - waiting.askedAt;
    const slow = waited > slowMs ? `; it has not answered for ${duration(waited / 1000)}` : "";
    return text(`asked the driver to retire ${waiting.order.what}${slow}`, "warning");
  }
  if (model.link.kind === "unreachable") return text(`${model.link.why}; trying on`, "bad");
  const reason = model.picture?.run?.reason ?? "";
  if (reason !== "") return text(reason, "warning");
  if (model.pane === "failures") return text(failureDetail(model), "faint");
  const row = selectedRow(model);
  return row === null ? [] : text(rowDetail(row), "faint");
}

function failureDetail(model: Model): string {
  const failure = failuresOf(model)[model.failureCursor.index];
  if (failure === undefined) return "";
  const what = failure.perEngine ? "PERENGINE command" : `task ${failure.id}`;
  return `${what}, line ${failure.line}: ${failureText(failure)} after ${duration(failure.elapsed)} on ${failure.host}`;
}

function rowDetail(row: Row): string {
  switch (row.kind) {
    case "engine": {
      const ends = row.endsInSeconds === null ? [] : [`ends in ${duration(row.endsInSeconds)}`];
      return [
        `engine ${row.rank} on ${row.host}: ${conditionText(row.condition)}`,
        ...ends,
        `holds ${plural(row.claims, "task")}`,
        `${plural(row.cores, "core")}, process ${row.pid}`,
      ].join(" · ");
    }
    case "context": {
      const facts = [`${row.label}: ${conditionText(row.condition)}`];
      if (row.endsInSeconds !== null) facts.push(`ends in ${duration(row.endsInSeconds)}`);
      if (row.limit !== null && row.limitLeft !== null)
        facts.push(`${count(row.limitLeft)} of ${plural(row.limit, "task")} left (-C)`);
      facts.push(`${row.up} of ${plural(row.nodes, "node")}`, `${row.method} from ${row.host}`);
      return facts.join(" · ");
    }
    case "node":
      return `${row.host} of ${row.context}: ${conditionText(row.condition)}`;
  }
}

type KeyHint = readonly [string, string];

/** In order of importance: the last ones give way where there is no room. */
const paneKeys: readonly KeyHint[] = [
  ["↑↓", "move"],
  ["Enter", "open"],
  ["Tab", "pane"],
  ["/", "filter"],
  ["s", "sort"],
  ["r C", "retire"],
  ["t", "task"],
  ["g", "gone"],
];
const endedKeys: readonly KeyHint[] = [
  ["↑↓", "move"],
  ["Enter", "open"],
  ["Tab", "pane"],
  ["t", "task"],
];
const filterKeys: readonly KeyHint[] = [
  ["Enter", "keep it"],
  ["Esc", "show all"],
];
const lastKeys: readonly KeyHint[] = [
  ["?", "help"],
  ["q", "quit"],
];

export function keyLine(model: Model): Line {
  if (model.filtering) return filterKeys.flatMap(hint);
  const cells = model.size.columns;
  const right = lastKeys.flatMap(hint);
  const left: Span[] = [];
  for (const each of model.link.kind === "ended" ? endedKeys : paneKeys) {
    const spans = hint(each);
    if (lineCells([...left, ...spans, ...right]) > cells) break;
    left.push(...spans);
  }
  return spread(left, right, cells);
}

function hint([key, what]: KeyHint): Line {
  return [span(` ${key}`, "key"), span(` ${what} `, "faint")];
}
