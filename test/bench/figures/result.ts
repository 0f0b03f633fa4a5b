import type { Spread } from "./spread.js";

/* What rows measure, as values that stand in the file of `--json` and on the page. */

export const rowNames = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"] as const;
export type RowName = (typeof rowNames)[number];

/** `above` 1: better than the peer at all. */
export type Goal =
  | { readonly kind: "atLeast"; readonly value: number }
  | { readonly kind: "atMost"; readonly value: number }
  | { readonly kind: "above"; readonly value: number };

export interface Figure {
  readonly what: string;
  /** Null: not measured; `note` says why. */
  readonly value: Spread | null;
  /** Empty: a ratio. */
  readonly unit: "" | "MB" | "s" | "%" | "files";
  readonly goal: Goal | null;
  /** The two that the ratio is of, with their units. Empty: there is nothing more to say. */
  readonly ours: string;
  readonly peer: string;
  readonly note: string;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A line or a group of bars of a plot. */
export interface Series {
  /** Which plot. */
  readonly plot: string;
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: Spread }[];
}

export interface RowResult {
  readonly row: RowName;
  /** Of the machine, as it is told on the page. */
  readonly machine: string;
  /** ISO 8601, in UTC. */
  readonly measuredAt: string;
  readonly rounds: number;
  /** Small sizes: the figures mean nothing. */
  readonly quick: boolean;
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
  readonly series: readonly Series[];
  readonly remarks: readonly string[];
}

export function isMet(goal: Goal, value: number): boolean {
  switch (goal.kind) {
    case "atLeast":
      return value >= goal.value;
    case "atMost":
      return value <= goal.value;
    case "above":
      return value > goal.value;
  }
}
