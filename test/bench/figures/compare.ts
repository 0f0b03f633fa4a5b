import { withSpread } from "./format.js";
import type { Figure, Goal } from "./result.js";
import { type Spread, ratiosOf, spreadOf } from "./spread.js";

/** Our throughput over a peer's; `ours` and `peers` are seconds, round by round. */
export function throughputOver(
  what: string,
  tasks: number,
  ours: readonly number[],
  peers: readonly number[],
  goal: Goal | null,
): Figure {
  const rate = (seconds: readonly number[]): string =>
    withSpread(spreadOf(seconds.map((each) => tasks / each)), "/s");
  // Throughput over throughput is time over time, the other way round.
  return {
    what,
    value: ratiosOf(peers, ours),
    unit: "",
    goal,
    ours: rate(ours),
    peer: rate(peers),
    note: "",
  };
}

/** Our time over a peer's; both in seconds, round by round. */
export function timeOver(
  what: string,
  ours: readonly number[],
  peers: readonly number[],
  goal: Goal | null,
): Figure {
  return {
    what,
    value: ratiosOf(ours, peers),
    unit: "",
    goal,
    ours: timeText(ours),
    peer: timeText(peers),
    note: "",
  };
}

function timeText(seconds: readonly number[]): string {
  const spread = spreadOf(seconds);
  return spread.median < 1
    ? withSpread(spreadOf(seconds.map((each) => each * 1000)), " ms")
    : withSpread(spread, " s");
}

export function atLeast(value: number): Goal {
  return { kind: "atLeast", value };
}

export function atMost(value: number): Goal {
  return { kind: "atMost", value };
}

export const better: Goal = { kind: "above", value: 1 };

/** A figure that is no ratio; `ours`: what it is made of. */
export function quantity(
  what: string,
  unit: Figure["unit"],
  value: Spread,
  goal: Goal | null,
  ours: string,
  peer = "",
): Figure {
  return { what, value, unit, goal, ours, peer, note: "" };
}

export function notMeasured(what: string, note: string): Figure {
  return { what, value: null, unit: "", goal: null, ours: "", peer: "", note };
}
