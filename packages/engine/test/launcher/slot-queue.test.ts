import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LaunchPlace, LaunchRequest } from "../../src/launcher/launcher.js";
import { SlotQueue } from "../../src/launcher/slot-queue.js";

const request = (tag: number): LaunchRequest => ({ tag, command: new Uint8Array(), env: {} });
const places = (count: number): readonly LaunchPlace[] =>
  Array.from({ length: count }, (_, slot) => ({ env: { SLOT: String(slot) }, cpus: [slot] }));

function queueOf(slots: number, ...tags: readonly number[]): SlotQueue {
  const queue = new SlotQueue();
  queue.setSlots(places(slots));
  for (const tag of tags) queue.add(request(tag));
  return queue;
}

/** `TAG@SLOT` of all that can begin now. */
function begun(queue: SlotQueue): readonly string[] {
  const shown: string[] = [];
  for (let next = queue.next(); next !== null; next = queue.next()) {
    expect(next.place).toEqual({ env: { SLOT: String(next.slot) }, cpus: [next.slot] });
    shown.push(`${next.request.tag}@${next.slot}`);
  }
  return shown;
}

describe("SlotQueue", () => {
  it("gives the lowest free slot to whoever has waited longest", () => {
    const queue = queueOf(2, 7, 8, 9, 10);
    expect(begun(queue)).toEqual(["7@0", "8@1"]);
    expect(queue.waiting).toBe(2);
    queue.ended(8);
    queue.ended(7);
    queue.add(request(11));
    expect(begun(queue)).toEqual(["9@0", "10@1"]);
    queue.ended(10);
    expect(begun(queue)).toEqual(["11@1"]);
    expect(queue.waiting).toBe(0);
  });

  it("has none to give before there are slots, and forgets nobody meanwhile", () => {
    const queue = new SlotQueue();
    queue.add(request(1));
    expect(begun(queue)).toEqual([]);
    queue.setSlots(places(1));
    expect(begun(queue)).toEqual(["1@0"]);
  });

  it("takes back those that wait, in order, and not those that have a slot", () => {
    const queue = queueOf(1, 1, 2, 3);
    begun(queue);
    expect(queue.recall()).toEqual([2, 3]);
    expect(queue.recall()).toEqual([]);
    expect([queue.has(2), queue.waiting]).toEqual([false, 0]);
    queue.ended(1);
    expect(begun(queue)).toEqual([]);
    queue.add(request(2));
    expect(begun(queue)).toEqual(["2@0"]);
  });

  it("passes over the end of one that has no slot, also a second time", () => {
    const queue = queueOf(1, 1, 2);
    begun(queue);
    for (const tag of [2, 5, 1, 1]) queue.ended(tag);
    expect(begun(queue)).toEqual(["2@0"]);
    queue.ended(1);
    queue.add(request(3));
    expect(begun(queue)).toEqual([]);
  });

  it("refuses a tag that waits already, and what is none", () => {
    const queue = queueOf(1, 1, 2);
    for (const tag of [1, 2, -1, 0.5, 2 ** 32, Number.NaN])
      expect(() => queue.add(request(tag))).toThrow(RangeError);
    expect([queue.has(1), queue.has(3), queue.waiting]).toEqual([true, false, 2]);
  });

  it("never gives a slot to two, nor lets one wait while a slot is free, nor changes the order", () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant("add" as const) },
      { weight: 3, arbitrary: fc.nat(5) },
      { weight: 1, arbitrary: fc.constant("recall" as const) },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 100 }), (slots, steps) => {
        const queue = queueOf(slots);
        const inSlots = new Map<number, number>();
        let waiting: number[] = [];
        let last = 0;
        for (const each of steps) {
          if (each === "add") {
            queue.add(request(++last));
            waiting.push(last);
          } else if (each === "recall") {
            expect(queue.recall()).toEqual(waiting);
            waiting = [];
          } else {
            const tag = [...inSlots.keys()][each];
            if (tag === undefined) continue;
            queue.ended(tag);
            inSlots.delete(tag);
          }
          for (let next = queue.next(); next !== null; next = queue.next()) {
            expect(next.request.tag).toBe(waiting.shift());
            expect([...inSlots.values()]).not.toContain(next.slot);
            inSlots.set(next.request.tag, next.slot);
          }
          expect(queue.waiting).toBe(waiting.length);
          expect(waiting.length === 0 || inSlots.size === slots).toBe(true);
        }
      }),
    );
  });
});
