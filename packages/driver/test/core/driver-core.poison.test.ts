import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DriverRig, alice, success } from "./driver-rig.js";

interface Offer {
  readonly id: number;
  readonly attempt: number;
}

/** What has been published since the last look, in the order of the queue. */
function take(rig: DriverRig, queue: Offer[]): void {
  for (
    let publish = rig.core.takePublish(1000, 1e6);
    publish !== null;
    publish = rig.core.takePublish(1000, 1e6)
  ) {
    const offers = publish.tasks.map(({ id, attempt }) => ({ id, attempt }));
    if (publish.where === "front") queue.unshift(...offers);
    else queue.push(...offers);
  }
}

/**
 * One engine after the other takes what it may from the queue and dies if one of those that it starts is the poison: `ahead` of
 * its claims are beyond its slots. Answers how many died.
 */
function workOff(rig: DriverRig, poison: number, slots: number, ahead: number): number {
  const queue: Offer[] = [];
  rig.slots = slots;
  for (let deaths = 0, rounds = 0; ; rounds++) {
    take(rig, queue);
    if (queue.length === 0) return deaths;
    if (rounds > 10_000) throw new Error("it never ends");
    const claims = queue.splice(0, slots + ahead);
    const end = claims.findIndex(({ id }) => id === poison);
    // What stands before it has slots before it, but only what had one long before it has ended.
    const died = end !== -1;
    const ended = died ? Math.max(0, end - slots + 1) : claims.length;
    for (const { id, attempt } of claims.slice(0, ended)) rig.report(alice, id, success, { attempt });
    if (died) {
      deaths++;
      rig.lose(...claims.slice(ended).map(({ id, attempt }) => [id, attempt] as const));
    }
  }
}

describe("a poison task", () => {
  it("is given up, and nothing else is, however many slots die with it", () => {
    fc.assert(
      fc.property(
        fc.nat(199),
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 1, max: 64 }),
        fc.nat(100),
        (poison, maxLosses, slots, ahead) => {
          const rig = new DriverRig({ maxLosses });
          rig.core.onMembers({ engines: 1, slots: 200, claimed: 0 });
          rig.tasks(200);
          rig.end();
          workOff(rig, poison, slots, ahead);
          rig.look();
          const givenUp = rig.rows
            .filter(({ returnCode }) => returnCode === -100)
            .map(({ id }) => Number(id));
          expect(givenUp).toEqual([poison]);
          expect(rig.core.view).toMatchObject({ done: 200, failed: 1, outstanding: 0 });
        },
      ),
    );
  });

  it("costs one engine for each loss that is allowed, and one more, where all that is claimed starts", () => {
    for (const maxLosses of [0, 1, 2, 5]) {
      const rig = new DriverRig({ maxLosses });
      rig.core.onMembers({ engines: 1, slots: 20, claimed: 0 });
      rig.tasks(32);
      rig.end();
      expect(workOff(rig, 5, 1, 0)).toBe(maxLosses + 1);
    }
  });
});

describe("the loss of an engine that had claimed more than it has slots for", () => {
  it("counts for none of its tasks the first time, as they may not have started", () => {
    const rig = new DriverRig({ maxLosses: 0 });
    rig.slots = 2;
    rig.tasks(3);
    rig.look();
    rig.lose([0, 1], [1, 1], [2, 1]);
    expect(rig.look()).toEqual(["publish front 0.2 1.2 2.2"]);
    // The second time is no coincidence.
    rig.lose([1, 2]);
    expect(rig.look()).toEqual(["row task 1 -100"]);
  });

  it("counts for all where they had slots", () => {
    const rig = new DriverRig({ maxLosses: 0 });
    rig.slots = 2;
    rig.tasks(2);
    rig.look();
    rig.lose([0, 1], [1, 1]);
    expect(rig.look()).toEqual(["row task 0 -100", "row task 1 -100"]);
  });
});
