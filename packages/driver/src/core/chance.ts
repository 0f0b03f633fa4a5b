/** How some tasks of one kind have ended, or run on. */
export interface Stratum {
  /** All that the suspect ran has failed quickly: so many. */
  failed: number;
  /** The same on others, and what did not fail quickly there. */
  othersFailed: number;
  othersFine: number;
}

/**
 * The logarithm of the chance that none of the tasks that are fine is the suspect's, if who gets which is drawn by lot within each stratum
 * (hypergeometric: Fisher's exact test, one side). It may answer more than that, never less.
 */
export function logChance(strata: Iterable<Stratum>): number {
  let sum = 0;
  for (const { failed, othersFailed, othersFine } of strata) {
    if (failed === 0) continue;
    const all = failed + othersFailed + othersFine;
    const drawn = Math.min(othersFine, mostTerms);
    for (let each = 0; each < drawn; each++) sum += Math.log((all - failed - each) / (all - each));
  }
  return sum;
}

const mostTerms = 200;
