/** Several measurements of one thing. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** Round by round, as the two of a round ran one after the other on a machine of one speed. Throws when their numbers differ. */
export function ratiosOf(a: readonly number[], b: readonly number[]): Spread {
  if (a.length !== b.length) throw new RangeError(`${a.length} values over ${b.length}`);
  return spreadOf(a.map((value, round) => value / (b[round] ?? Number.NaN)));
}

/** The median less the other median; least and most are those of any pair of rounds. */
export function differenceOf(a: Spread, b: Spread): Spread {
  return { median: a.median - b.median, least: a.least - b.most, most: a.most - b.least };
}

export function scaled({ median: middle, least, most }: Spread, factor: number): Spread {
  return { median: middle * factor, least: least * factor, most: most * factor };
}
