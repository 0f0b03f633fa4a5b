import { describe, expect, it } from "vitest";
import { Turns } from "../../src/context/turns.js";

describe("Turns", () => {
  it("lets the next one through when a turn is given back, once for each", async () => {
    const turns = new Turns(2, 60_000);
    const order: number[] = [];
    const backs = await Promise.all([turns.take(), turns.take()]);
    const later = [3, 4].map(async (each) => {
      const back = await turns.take();
      order.push(each);
      return back;
    });
    await Promise.resolve();
    expect(order).toEqual([]);
    backs[0]?.();
    backs[0]?.();
    await later[0];
    expect(order).toEqual([3]);
    backs[1]?.();
    await Promise.all(later);
    expect(order).toEqual([3, 4]);
  });

  it("takes back a turn of one that hangs", async () => {
    const turns = new Turns(1, 10);
    await turns.take();
    await turns.take();
  });
});
