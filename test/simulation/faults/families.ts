import type { Random } from "../../fuzz/random.js";
import type { FaultKind } from "./fault.js";

/** What a seed is about, beside what goes wrong anyway: some mistakes show only where one kind of thing goes wrong again and again. */
export const families = [
  "anything",
  "connections",
  "leases",
  "amnesia",
  "anything",
  "takeover",
  "clocks",
  "anything",
] as const;

export type Family = (typeof families)[number];

export function familyOf(seed: number): Family {
  return families[seed % families.length] ?? "anything";
}

/** So many, from the first one on. */
export function seedsOf(from: number, count: number, family: Family | null): readonly number[] {
  const seeds: number[] = [];
  for (let seed = from; seeds.length < count; seed++)
    if (family === null || familyOf(seed) === family) seeds.push(seed);
  return seeds;
}

/** What differs from anything else. */
export interface Bias {
  /** The faults that it is about; null: all alike. */
  readonly kinds: readonly FaultKind[] | null;
  readonly leasesMs: readonly number[];
  /** Between TERM and KILL, ms. */
  readonly gracesMs: readonly number[];
  /** From one host to another, ms. */
  readonly wiresMs: readonly number[];
  /** Of the driver, if it is slower. */
  readonly driverWiresMs: readonly number[] | null;
  /** The longest that a task takes, ms. */
  readonly longestMs: readonly number[];
  /** Of a lease: how long something lasts. */
  readonly spans: (random: Random) => number;
  readonly recovers: boolean | null;
  /** At least so many engines. */
  readonly engines: number;
}

const anything: Bias = {
  kinds: null,
  leasesMs: [3000, 5000, 10_000],
  gracesMs: [0, 500, 2000],
  wiresMs: [0.5, 5, 50, 200],
  driverWiresMs: null,
  longestMs: [50, 2000, 8000, 20_000],
  spans: (random) => random.pick([0.005, 0.3, 0.5, 0.9, 1, 1.1, 1.5, 3]) * (0.9 + random.int(200) / 1000),
  recovers: null,
  engines: 1,
};

export const biases: Readonly<Record<Family, Bias>> = {
  anything,
  /** Answers that are lost, and requests that are made again. */
  connections: {
    ...anything,
    kinds: [
      "engine's connection is reset",
      "engine's connection is reset",
      "driver's connection is reset",
      "engine is cut off",
    ],
    wiresMs: [50, 200],
    longestMs: [50, 2000],
  },
  /** Engines that come back about when they are given up, by a driver that hears late of it. */
  leases: {
    ...anything,
    kinds: ["engine stops", "engine stops", "engine is cut off", "engine is cut off", "driver stops"],
    leasesMs: [3000],
    gracesMs: [2000],
    wiresMs: [0.5, 5],
    driverWiresMs: [100, 200],
    longestMs: [8000, 20_000],
    spans: (random) => 0.95 + random.int(300) / 1000,
    engines: 2,
  },
  amnesia: {
    ...anything,
    kinds: [
      "store dies",
      "store dies",
      "store goes back",
      "engine is cut off",
      "engine stops",
      "engine dies",
    ],
    leasesMs: [3000, 10_000, 30_000],
    longestMs: [2000, 8000, 20_000],
  },
  takeover: {
    ...anything,
    kinds: ["driver is replaced", "driver is replaced", "driver dies", "store dies", "engine stops"],
    longestMs: [2000, 8000, 20_000],
    recovers: true,
  },
  clocks: {
    ...anything,
    kinds: ["clock is set", "clock is set", "machine dies", "engine dies"],
    engines: 2,
  },
};
