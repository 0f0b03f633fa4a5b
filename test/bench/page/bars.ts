import type { Series } from "../figures/result.js";
import { shortNumber } from "../figures/format.js";
import { linearScale } from "./scale.js";
import { drawing, frame, line, place, text, yAxis } from "./svg.js";

/** For the number above the highest bar. */
const roomAbove = 1.05;

/** Groups of bars, a group for each x and a bar for each name, with a whisker from least to most. */
export function barPlot(
  words: {
    readonly title: string;
    readonly subtitle: string;
    readonly y: string;
    readonly group: (x: number) => string;
  },
  series: readonly Series[],
): string {
  const names = [...new Set(series.map(({ name }) => name))];
  const groups = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))].toSorted(
    (a, b) => a - b,
  );
  const most = Math.max(...series.flatMap(({ points }) => points.map(({ y }) => y.most)));
  const scale = linearScale(most * roomAbove, frame.bottom, frame.top);
  const groupWidth = (frame.right - frame.left) / groups.length;
  const barWidth = (groupWidth * 0.8) / names.length;
  const parts = yAxis(scale, words.y, (tick) => String(Number(tick.toFixed(6))));
  for (const { name, points } of series) {
    const which = names.indexOf(name);
    for (const { x, y } of points) {
      const left = frame.left + (groups.indexOf(x) + 0.1) * groupWidth + which * barWidth;
      const top = scale.at(y.median);
      const middle = left + barWidth / 2;
      parts.push(
        `<rect x="${place(left + 2)}" y="${place(top)}" width="${place(barWidth - 4)}" height="${place(frame.bottom - top)}" class="fill${which}"/>`,
        line(middle, scale.at(y.least), middle, scale.at(y.most), "whisker"),
        text(middle, scale.at(y.most) - 5, shortNumber(y.median), "small", "middle"),
      );
    }
  }
  for (const [index, x] of groups.entries())
    parts.push(
      text(frame.left + (index + 0.5) * groupWidth, frame.bottom + 22, words.group(x), "", "middle"),
    );
  for (const [index, name] of names.entries()) {
    const y = frame.top + 20 + index * 22;
    parts.push(
      `<rect x="${frame.right + 14}" y="${y - 10}" width="12" height="12" class="fill${index}"/>`,
      text(frame.right + 32, y, name),
    );
  }
  return drawing(words.title, words.subtitle, parts);
}
