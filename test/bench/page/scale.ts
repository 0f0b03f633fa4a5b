/* From values to places on a drawing. */

export interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** From 0, up to a round number that is not below `most`, at about `count` ticks. `from`, `to`: places of both ends. */
export function linearScale(most: number, from: number, to: number, count = 5): Scale {
  const step = roundStep(Math.max(most, Number.MIN_VALUE) / count);
  // A hair of rounding must not make a tick more.
  const steps = Math.ceil(most / step - 1e-9);
  const top = steps * step;
  return {
    at: (value) => from + (value / top) * (to - from),
    ticks: Array.from({ length: steps + 1 }, (_, index) => index * step),
  };
}

/** Whole powers of ten around all values. Throws a `RangeError` unless all are above 0. */
export function logScale(values: readonly number[], from: number, to: number): Scale {
  if (!values.every((value) => value > 0)) throw new RangeError("a logarithmic scale is for numbers above 0");
  const low = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return {
    at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
  };
}

/** 1, 2 or 5 times a power of ten, not below this. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((each) => each * power >= least * (1 - 1e-9)) ?? 10) * power;
}
