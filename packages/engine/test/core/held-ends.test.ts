import { describe, expect, it } from "vitest";
import { HeldEnds } from "../../src/core/held-ends.js";

describe("HeldEnds", () => {
  it("holds each end for one to two periods", () => {
    const held = new HeldEnds<string>();
    held.add("a");
    expect(held.due()).toEqual([]);
    held.add("b");
    expect(held.due()).toEqual(["a"]);
    expect(held.size).toBe(1);
    expect(held.due()).toEqual(["b"]);
    expect(held.due()).toEqual([]);
  });

  it("gives all up at once, the oldest first", () => {
    const held = new HeldEnds<string>();
    held.add("a");
    held.due();
    held.add("b");
    expect(held.takeAll()).toEqual(["a", "b"]);
    expect([held.size, held.takeAll(), held.due()]).toEqual([0, [], []]);
  });

  it("holds no more than a thousand: the oldest make room", () => {
    const held = new HeldEnds<number>();
    const told: number[] = [];
    for (let end = 0; end < 3000; end++) {
      told.push(...held.add(end));
      expect(held.size).toBeLessThanOrEqual(1000);
      if (end === 1500) told.push(...held.due());
    }
    expect([...told, ...held.takeAll()]).toEqual(Array.from({ length: 3000 }, (_, index) => index));
  });
});
