import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Gathering } from "../../src/core/gathering.js";

/** What the waits are, one after the other, where engines end so many tasks a second as long as they have some, of a window of this size. */
function waits(
  perSecond: number,
  window: number,
  count: number,
): { readonly ms: number; readonly came: number }[] {
  const gathering = new Gathering();
  return Array.from({ length: count }, () => {
    const ms = gathering.next(window);
    const came = Math.min(window, Math.round(((ms + 1) / 1000) * perSecond));
    gathering.came(came);
    return { ms, came };
  });
}

describe("Gathering", () => {
  it("begins short, whatever the load, and comes to half a second where tasks end slowly", () => {
    const all = waits(3, 32, 20).map(({ ms }) => ms);
    expect(all.slice(0, 5)).toEqual([0, 0, 4, 8, 16]);
    expect(all.at(-1)).toBe(500);
  });

  it("leaves the engines half of what is out, more or less, once it knows them, and never lets them run out for long", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 500_000 }),
        fc.integer({ min: 32, max: 20_000 }),
        (perSecond, window) => {
          const all = waits(perSecond, window, 40);
          // Of short waits the rest of a round is a large part, which this does not know.
          for (const { ms, came } of all.slice(20)) if (ms > 16) expect(came).toBeLessThan(0.75 * window);
          const isDry = all.map(({ ms, came }) => ms > 0 && came === window);
          for (const [round, dry] of isDry.slice(1).entries()) expect(dry && isDry[round]).toBe(false);
        },
      ),
    );
  });

  it("gets shorter as fast as engines get faster", () => {
    const gathering = new Gathering();
    for (let round = 0; round < 20; round++) {
      gathering.next(1000);
      gathering.came(10);
    }
    expect(gathering.next(1000)).toBe(500);
    gathering.came(1000);
    expect(gathering.next(1000)).toBe(250);
    gathering.came(4000);
    expect(gathering.next(1000)).toBe(31.25);
  });

  it("does not wait, and learns nothing, where little is out", () => {
    const gathering = new Gathering();
    for (let round = 0; round < 5; round++) gathering.next(100);
    const before = gathering.next(100);
    expect(gathering.next(0)).toBe(0);
    gathering.came(100);
    expect(gathering.next(100)).toBe(2 * before);
  });
});
