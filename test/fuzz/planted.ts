import { type Target, must } from "./target.js";

/* Parsers with a known fault each, to see that the fuzzer finds it. Not among the targets unless they are named. */

const seeds = (): readonly Buffer[] => [Buffer.from("width 10 height 20")];

/** Breaks behind three conditions: chance alone does not meet them all, one after the other they are found by what they lead to. */
export const plantedThrow: Target = {
  name: "planted-throw",
  seeds,
  mostBytes: 64,
  check: (bytes) => {
    if (!bytes.includes("%ff")) return;
    if (!bytes.includes("__proto__")) return;
    must(!bytes.includes("$(id)"), "all three are there");
  },
};

const plantedHang: Target = {
  name: "planted-hang",
  seeds,
  check: (bytes) => {
    while (bytes.includes("%")) void bytes;
  },
};

export const plantedHunger: Target = {
  name: "planted-hunger",
  seeds: () => [Buffer.from("width 10")],
  mostBytes: 16,
  check: (bytes) => {
    const wanted = Number(/\d+/.exec(bytes.toString("latin1"))?.[0] ?? 0);
    if (wanted > 1_000_000) Buffer.alloc(80_000_000);
  },
};

export const planted: readonly Target[] = [plantedThrow, plantedHang, plantedHunger];
