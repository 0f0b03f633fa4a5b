/**
 * The longest lease of an engine that its driver has not greeted. After the store has forgotten, nobody can tell whether there are such: the
 * driver waits for so long before it offers again what they may run.
 */
export const newcomerLeaseMs = 10_000;
