import type { Series } from "../figures/result.js";
import { shortNumber } from "../figures/format.js";
import { type Scale, linearScale, logScale } from "./scale.js";
import { drawing, frame, line, place, text, yAxis } from "./svg.js";

interface Words {
  readonly title: string;
  readonly subtitle: string;
  readonly x: string;
  readonly y: string;
}

/** Lines over a logarithmic x, with a whisker from least to most at each point. */
export function linePlot(words: Words, series: readonly Series[], y: "linear" | "logarithmic"): string {
  const points = series.flatMap((each) => each.points);
  const xs = [...new Set(points.map(({ x }) => x))].toSorted((a, b) => a - b);
  const across = logScale(xs, frame.left, frame.right).at;
  // The ends of the values are the ends of the drawing.
  const [first = 1, last = 1] = [xs.at(0), xs.at(-1)];
  const from = across(first);
  const stretch = (frame.right - frame.left - 40) / Math.max(across(last) - from, 1);
  const at = (x: number): number => frame.left + 20 + (across(x) - from) * stretch;
  const values = points.flatMap((point) => [point.y.least, point.y.most]);
  const scale: Scale =
    y === "linear"
      ? linearScale(Math.max(...values), frame.bottom, frame.top)
      : logScale(values, frame.bottom, frame.top);
  const parts = yAxis(scale, words.y, (tick) => tick.toLocaleString("en"));
  for (const x of xs)
    parts.push(
      line(at(x), frame.bottom, at(x), frame.bottom + 5, "grid"),
      text(at(x), frame.bottom + 22, x.toLocaleString("en"), "", "middle"),
    );
  parts.push(text((frame.left + frame.right) / 2, frame.bottom + 44, words.x, "small", "middle"));
  const ends: { readonly name: string; readonly color: number; y: number }[] = [];
  for (const [color, { name, points: own }] of series.entries()) {
    const sorted = own.toSorted((a, b) => a.x - b.x);
    const path = sorted.map((point) => `${place(at(point.x))},${place(scale.at(point.y.median))}`).join(" ");
    const measured = name !== idealName;
    parts.push(`<polyline points="${path}" class="line line${color}${measured ? "" : " dashed"}"/>`);
    if (measured)
      for (const point of sorted) {
        const [x, high] = [at(point.x), scale.at(point.y.most)];
        parts.push(
          line(x, scale.at(point.y.least), x, high, `whisker line${color}`),
          `<circle cx="${place(x)}" cy="${place(scale.at(point.y.median))}" r="4" class="fill${color}"/>`,
        );
      }
    const end = sorted.at(-1);
    if (end !== undefined)
      ends.push({ name: `${name} ${shortNumber(end.y.median)}`, color, y: scale.at(end.y.median) });
  }
  for (const end of apart(ends)) parts.push(text(frame.right + 2, end.y + 4, end.name, `fill${end.color}`));
  return drawing(words.title, words.subtitle, parts);
}

/** Of a line that nobody measured. */
export const idealName = "all slots busy";

/** Words at the ends of lines that lie close together must not lie on each other. */
function apart<End extends { y: number }>(ends: readonly End[]): readonly End[] {
  const sorted = ends.toSorted((a, b) => a.y - b.y);
  for (const [index, end] of sorted.entries()) {
    const above = sorted[index - 1];
    if (above !== undefined) end.y = Math.max(end.y, above.y + 17);
  }
  return sorted;
}
