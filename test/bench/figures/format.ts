import type { Figure, Goal } from "./result.js";
import type { Spread } from "./spread.js";

/** Three significant digits, and no exponent. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return "?";
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en");
  if (size >= 10) return value.toFixed(Number.isInteger(value) ? 0 : 1);
  return value.toFixed(2);
}

/** `880/s (851–902)` */
export function withSpread(spread: Spread, unit: string): string {
  return `${shortNumber(spread.median)}${unit} (${between(spread)})`;
}

/** `851–902` */
export function between({ least, most }: Spread): string {
  return `${shortNumber(least)}–${shortNumber(most)}`;
}

export function valueText({ value, unit }: Pick<Figure, "value" | "unit">): string {
  if (value === null) return "not measured";
  return [shortNumber(value.median), unit].filter((text) => text !== "").join(" ");
}

export function goalText(goal: Goal): string {
  const sign = { atLeast: "≥", atMost: "≤", above: ">" }[goal.kind];
  return `${sign} ${goal.value}`;
}
