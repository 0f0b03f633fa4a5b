import type { Wanted } from "@taskmuster/kvs";
import fc from "fast-check";

/** One random step; picks are taken modulo what there is to pick from. */
export type Operation =
  | { readonly kind: "open" }
  | {
      readonly kind: "reopen";
      readonly above: number;
      readonly nonce: number | null;
      readonly ranks: number;
    }
  | {
      readonly kind: "restore";
      readonly contexts: readonly (readonly [name: string, nonce: number, granted: number | null])[];
      readonly picks: readonly number[];
      readonly wanted: Wanted;
    }
  | { readonly kind: "greet"; readonly pick: number }
  | {
      readonly kind: "announce";
      readonly pick: number;
      readonly seq: "next" | "same";
      readonly claims: readonly number[];
      readonly last: boolean;
    }
  | { readonly kind: "takeOver" }
  /** The last verb of the driver once more, as after a lost answer. */
  | { readonly kind: "repeat" }
  | {
      readonly kind: "publish";
      readonly needs: readonly number[];
      readonly front: boolean;
      readonly repeat: boolean;
    }
  | { readonly kind: "withdraw"; readonly pick: number; readonly tries: number }
  | { readonly kind: "receive"; readonly max: number; readonly ahead: number | null }
  | { readonly kind: "acknowledge"; readonly ahead: number }
  | {
      readonly kind: "order";
      readonly scope: "run" | "context" | "engine";
      readonly pick: number;
      readonly wanted: Wanted;
    }
  | {
      readonly kind: "enrol";
      readonly label: string;
      readonly exact: boolean;
      readonly nonce: number;
      readonly limit: number | null;
    }
  | { readonly kind: "ask" }
  | { readonly kind: "claimsOf"; readonly pick: number; readonly max: number }
  | { readonly kind: "expel"; readonly pick: number }
  | { readonly kind: "expire"; readonly pick: number; readonly renewal: number }
  | { readonly kind: "beat"; readonly tell: boolean; readonly ahead: number }
  | { readonly kind: "post"; readonly key: string; readonly value: string }
  | { readonly kind: "close" }
  | { readonly kind: "join"; readonly pick: number }
  | {
      readonly kind: "exchange";
      readonly pick: number;
      readonly seq: "next" | "same" | "old";
      readonly finish: number;
      readonly release: number;
      readonly wants: readonly (readonly [number, number])[];
      readonly maxBytes: number;
      readonly idleSlots: number;
      readonly awaits: boolean;
    }
  | { readonly kind: "renew"; readonly pick: number; readonly counter: number }
  | { readonly kind: "leave"; readonly pick: number }
  | { readonly kind: "bell"; readonly pick: number };

const pick = fc.nat(3);
const small = fc.nat(4);

const exchange = fc.record({
  kind: fc.constant("exchange" as const),
  pick,
  seq: fc.oneof(
    { weight: 8, arbitrary: fc.constant("next" as const) },
    { weight: 2, arbitrary: fc.constant("same" as const) },
    { weight: 1, arbitrary: fc.constant("old" as const) },
  ),
  finish: fc.constantFrom(0, 0, 1, 2),
  release: fc.constantFrom(0, 0, 1, 2),
  wants: fc.array(fc.tuple(fc.constantFrom(0, 0, 0, 1, 2), fc.nat(5)), { maxLength: 2 }),
  maxBytes: fc.constantFrom(0, 14, 1_000, 1_000),
  idleSlots: small,
  awaits: fc.boolean(),
});

/** Without it most random sequences are about nobody. */
export const prelude: readonly Operation[] = [
  { kind: "open" },
  ...[0, 1, 2].map((at) => ({ kind: "join" as const, pick: at })),
  { kind: "publish", needs: [0, 0, 0, 1, 0], front: false, repeat: false },
];

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 12, arbitrary: exchange },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      needs: fc.array(fc.constantFrom(0, 0, 0, 1, 2), { maxLength: 5 }),
      front: fc.boolean(),
      repeat: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("join" as const), pick }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("bell" as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("receive" as const),
      max: fc.integer({ min: 1, max: 5 }),
      ahead: fc.option(fc.integer({ min: -2, max: 5 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("acknowledge" as const),
      ahead: fc.integer({ min: -1, max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("withdraw" as const),
      pick: fc.nat(30),
      tries: fc.integer({ min: 1, max: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("order" as const),
      scope: fc.constantFrom("run" as const, "context" as const, "engine" as const),
      pick,
      wanted: fc.constantFrom(
        "run" as const,
        "run" as const,
        "run" as const,
        "hold" as const,
        "drain" as const,
        "stop" as const,
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("enrol" as const),
      label: fc.constantFrom("even", "even", "odd ctx", "odd ctx", "C#"),
      exact: fc.boolean(),
      nonce: fc.nat(9),
      limit: fc.constantFrom(null, 0, 1, 2, 3, 9),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: "ask" as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("claimsOf" as const), pick, max: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("expel" as const), pick }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("expire" as const), pick, renewal: fc.nat(1) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("renew" as const), pick, counter: small }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("post" as const),
      key: fc.constantFrom("a", "b"),
      value: fc.constantFrom("1", "2"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("beat" as const),
      tell: fc.boolean(),
      ahead: fc.integer({ min: -1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "open" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("reopen" as const),
      above: small,
      nonce: fc.option(fc.nat(1)),
      ranks: small,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("restore" as const),
      contexts: fc.array(
        fc.tuple(fc.constantFrom("even", "odd ctx", "C1"), fc.nat(9), fc.constantFrom(null, 0, 1, 4)),
        { maxLength: 2 },
      ),
      picks: fc.uniqueArray(pick, { maxLength: 2 }),
      wanted: fc.constantFrom("run" as const, "run" as const, "hold" as const, "drain" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("greet" as const), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("announce" as const),
      pick,
      seq: fc.constantFrom("next" as const, "next" as const, "same" as const),
      claims: fc.uniqueArray(fc.nat(30), { maxLength: 3 }),
      last: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "takeOver" as const }) },
  { weight: 4, arbitrary: fc.constant({ kind: "repeat" as const }) },
);
