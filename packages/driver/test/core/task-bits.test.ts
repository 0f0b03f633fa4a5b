import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TaskBits } from "../../src/core/task-bits.js";

describe("TaskBits", () => {
  it("agrees with a set, also across its pages", () => {
    const id = fc.oneof(
      fc.nat(70_000),
      fc.integer({ min: 65_500, max: 65_600 }),
      fc.integer({ min: 5_000_000, max: 5_000_040 }),
    );
    fc.assert(
      fc.property(fc.array(id), fc.array(id), (added, asked) => {
        const bits = new TaskBits();
        const set = new Set<number>();
        for (const each of added) {
          expect(bits.add(each)).toBe(!set.has(each));
          set.add(each);
        }
        expect(bits.count).toBe(set.size);
        for (const each of [...asked, ...added]) expect(bits.has(each)).toBe(set.has(each));
      }),
    );
  });

  it("keeps all 32 bits of a word apart", () => {
    const bits = new TaskBits();
    for (let id = 0; id < 64; id += 2) expect(bits.add(id)).toBe(true);
    for (let id = 0; id < 64; id++) expect(bits.has(id)).toBe(id % 2 === 0);
    for (let id = 0; id < 64; id += 2) expect(bits.add(id)).toBe(false);
    expect(bits.count).toBe(32);
  });
});
