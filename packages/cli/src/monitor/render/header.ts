import { duration, rateText } from "../../wording.js";
import type { Model } from "../model/model.js";
import type { Totals } from "../model/picture.js";
import { cutStart } from "./cells.js";
import { type Line, type Span, type Style, span, spread } from "./line.js";
import { count, phaseOf } from "./words.js";

/** Five lines: what runs and how it is, where, how far it is, in numbers, and how fast. */
export function headerLines(model: Model): readonly Line[] {
  const { picture, prefix } = model;
  const cells = model.size.columns - 1;
  const run = picture?.run ?? null;
  const phase = phaseOf(model);
  const elapsed =
    picture === null || run === null ? [] : [faint("elapsed "), span(duration(picture.elapsedSeconds))];
  const driver = run === null ? [] : [faint(`driver on ${run.host}${run.serves ? ", serving" : ""}`)];
  const path = cutStart(span(run?.prefix ?? prefix).text, cells - 2 - (driver[0]?.text.length ?? 0));
  const name = run === null || run.name === "" ? lastPart(prefix) : run.name;
  return [
    spread(
      [span(" "), span(name, "strong"), span("   "), span(`${phase.glyph} ${phase.text}`, phase.style)],
      elapsed,
      cells,
    ),
    spread([span(" "), faint(path)], driver, cells),
    ...(picture === null || run === null
      ? [[], [], []]
      : [barLine(picture.totals, cells), legend(picture.totals), speedLine(model, cells)]),
  ];
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function faint(text: string): Span {
  return span(text, "faint");
}

interface Part {
  readonly value: number;
  readonly glyph: string;
  readonly style: Style;
}

function barLine(totals: Totals, cells: number): Line {
  const { total, done, failed, running, skipped, left } = totals;
  const parts: readonly Part[] = [
    { value: skipped, glyph: "▓", style: "skipped" },
    { value: done - failed, glyph: "█", style: "good" },
    { value: failed, glyph: "▚", style: "bad" },
    { value: running, glyph: "▒", style: "busy" },
    { value: left, glyph: "░", style: "faint" },
  ];
  const percent =
    total === null || total === 0
      ? ""
      : ` ${String(Math.floor((100 * (done + skipped)) / total)).padStart(3)}%`;
  const room = cells - 1 - percent.length;
  return [span(" "), ...bar(parts, room), span(percent, "strong")];
}

/** A bar of exactly `cells` cells, in which everything that is there at all can be seen. */
function bar(parts: readonly Part[], cells: number): Line {
  const present = parts.filter(({ value }) => value > 0);
  const total = present.reduce((sum, { value }) => sum + value, 0);
  if (total === 0) return [span("░".repeat(cells), "faint")];
  const shares = present.map(({ value }) => Math.max(1, Math.floor((cells * value) / total)));
  // What rounding has left over, or taken too much of, is the largest part's: there it shows least.
  const largest = shares.indexOf(Math.max(...shares));
  const used = shares.reduce((sum, share) => sum + share, 0);
  return present.map(({ glyph, style }, number) =>
    span(glyph.repeat(Math.max(0, (shares[number] ?? 0) + (number === largest ? cells - used : 0))), style),
  );
}

/** Tells what the bar's patterns mean, and the numbers. */
function legend(totals: Totals): Line {
  const items: (readonly [string, number, string, Style])[] = [
    ["█", totals.done, "done", "good"],
    ["▚", totals.failed, "failed", totals.failed > 0 ? "bad" : "faint"],
    ["▒", totals.running, "running", "busy"],
    ["░", totals.left, totals.total === null ? "waiting" : "left", "faint"],
  ];
  if (totals.retried > 0) items.push(["↻", totals.retried, "tried again", "warning"]);
  if (totals.lost > 0) items.push(["✗", totals.lost, "lost", "bad"]);
  if (totals.perEngineFailed > 0) items.push(["✗", totals.perEngineFailed, "PERENGINE failed", "bad"]);
  if (totals.skipped > 0) items.push(["▓", totals.skipped, "skipped", "skipped"]);
  const line = items.flatMap(([glyph, value, word, style]) => [
    span(glyph, style),
    span(` ${count(value)}`, value > 0 ? "strong" : "plain"),
    span(` ${word}  `),
  ]);
  return [span(" "), ...line];
}

function speedLine({ picture, link }: Model, cells: number): Line {
  if (picture === null) return [];
  const { rate, secondsLeft, busy, slots, engines } = picture;
  const left: Span[] = [span(" ")];
  if (rate !== null) left.push(span(rateText(rate).replace("/", " tasks/"), "strong"));
  if (link.kind === "ended") return left;
  left.push(rate === null ? span("") : faint(", "));
  if (secondsLeft !== null) left.push(span(duration(secondsLeft), "strong"), span(" left"));
  else left.push(faint("time left not known yet"));
  const right =
    engines === 0
      ? [span("no engine", "warning")]
      : [
          span(
            `${count(busy)} of ${count(slots)} ${slots === 1 ? "slot" : "slots"} busy on ${count(engines)} ${engines === 1 ? "engine" : "engines"}`,
          ),
        ];
  return spread(left, right, cells);
}
