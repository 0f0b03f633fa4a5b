import { attempt, taskId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { type GivenUp, Inheritance } from "../../src/core/inheritance.js";

const task = (id: number, tried: number) => ({ id: taskId(id), attempt: attempt(tried) });
const lost = (id: number, tried: number): GivenUp => ({ ...task(id, tried), lost: true });
const stopped = (id: number, tried: number): GivenUp => ({ ...task(id, tried), lost: false });

describe("Inheritance", () => {
  it("knows nothing of tasks that nobody had", () => {
    const none = new Inheritance({ givenUp: [], held: [] });
    expect(none.find(0)).toBe(null);
    expect(none.wasPassed(0)).toBe(false);
    expect(none.count).toBe(0);
  });

  it("goes on with the attempt that an engine has, the highest of several", () => {
    const found = new Inheritance({ givenUp: [], held: [task(3, 1), task(3, 2)] });
    expect(found.find(3)).toEqual({ attempt: 2, losses: 0, failed: [], held: true });
    expect(found.count).toBe(1);
  });

  it("runs the attempt after the last one that was given up, and counts losses only", () => {
    const found = new Inheritance({ givenUp: [lost(1, 1), stopped(1, 2), lost(1, 3), lost(1, 3)], held: [] });
    expect(found.find(1)).toEqual({ attempt: 4, losses: 2, failed: [], held: false });
    expect(found.wasGivenUp(1)).toBe(true);
    expect(found.wasGivenUp(2)).toBe(false);
  });

  it("remembers which attempts had failed and used up a retry", () => {
    const failed: GivenUp = { ...task(1, 1), lost: false, failed: true };
    const found = new Inheritance({ givenUp: [failed, lost(1, 2)], held: [] });
    expect(found.find(1)).toEqual({ attempt: 3, losses: 1, failed: [1], held: false });
  });

  it("takes a late report of an attempt that was given up for no holder", () => {
    const found = new Inheritance({ givenUp: [lost(1, 1)], held: [task(1, 1)] });
    expect(found.find(1)).toEqual({ attempt: 2, losses: 1, failed: [], held: false });
    const both = new Inheritance({ givenUp: [lost(1, 1)], held: [task(1, 1), task(1, 2)] });
    expect(both.find(1)).toEqual({ attempt: 2, losses: 1, failed: [], held: true });
    expect(both.count).toBe(1);
  });

  it("knows that a barrier was passed when something after it was published or had ended", () => {
    const found = new Inheritance({ givenUp: [], held: [task(7, 1)] });
    expect([found.wasPassed(6), found.wasPassed(7), found.wasPassed(8)]).toEqual([true, false, false]);
    found.sawTask(9);
    expect(found.wasPassed(8)).toBe(true);
    const givenUp = new Inheritance({ givenUp: [lost(4, 1)], held: [] });
    expect(givenUp.wasPassed(3)).toBe(true);
  });

  it("takes what is given up later into account, which tells nothing of barriers", () => {
    const found = new Inheritance({ givenUp: [], held: [] });
    found.giveUp(stopped(5, 1));
    expect(found.find(5)).toEqual({ attempt: 2, losses: 0, failed: [], held: false });
    expect(found.wasPassed(4)).toBe(false);
  });
});
