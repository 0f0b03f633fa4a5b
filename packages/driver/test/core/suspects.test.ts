import { describe, expect, it } from "vitest";
import { type LostTask, Suspects } from "../../src/core/suspects.js";

const maxLosses = 5;

function lost(id: number, losses: number, timesLost = losses): LostTask {
  return { id, losses, timesLost };
}

function offered(suspects: Suspects<LostTask>, tasks: readonly LostTask[]): readonly number[] {
  suspects.onLost(tasks);
  return tasks.filter((task) => suspects.offer(task)).map(({ id }) => id);
}

const ids = (tasks: readonly LostTask[]): readonly number[] => tasks.map(({ id }) => id);

describe("tasks that were lost", () => {
  it("once are offered at once, all of them", () => {
    const suspects = new Suspects<LostTask>(maxLosses);
    const tasks = Array.from({ length: 100 }, (_, id) => lost(id, 1));
    expect(offered(suspects, tasks)).toEqual(ids(tasks));
    expect([suspects.isEmpty, suspects.waiting]).toEqual([true, 0]);
  });

  it("again, together, are offered half of them at a time", () => {
    const suspects = new Suspects<LostTask>(maxLosses);
    const tasks = [0, 1, 2, 3, 4].map((id) => lost(id, 2));
    expect(offered(suspects, [...tasks, lost(9, 1)])).toEqual([0, 1, 2, 9]);
    expect(suspects.waiting).toBe(2);
    expect(ids(suspects.tasks())).toEqual([3, 4]);
    expect(ids(suspects.ended(1))).toEqual([3]);
    // It was handed back, and must wait for its turn.
    expect(ids(suspects.attemptOver(2))).toEqual([4]);
    expect(suspects.offer(lost(2, 2))).toBe(false);
    expect(ids(suspects.ended(0))).toEqual([2]);
    for (const id of [3, 4, 2]) expect(suspects.ended(id)).toEqual([]);
    expect([suspects.isEmpty, suspects.waiting]).toEqual([true, 0]);
  });

  it("and may be given up at the next loss are offered one at a time, wherever they were lost", () => {
    const suspects = new Suspects<LostTask>(maxLosses);
    expect(offered(suspects, [lost(0, 5), lost(1, 5)])).toEqual([0]);
    expect(offered(suspects, [lost(2, 5), lost(3, 2)])).toEqual([3]);
    expect(ids(suspects.ended(0))).toEqual([1]);
    expect(ids(suspects.ended(1))).toEqual([2]);
  });

  it("as often, but perhaps never having started, are suspects too", () => {
    const suspects = new Suspects<LostTask>(maxLosses);
    expect(offered(suspects, [lost(0, 0, 2), lost(1, 1, 2), lost(2, 0, 1)])).toEqual([0, 2]);
  });

  it("and have succeeded after all while they waited are not offered", () => {
    const suspects = new Suspects<LostTask>(maxLosses);
    const [one, two, three] = [lost(0, 2), lost(1, 2), lost(2, 2)];
    expect(offered(suspects, [one, two, three])).toEqual([0, 1]);
    expect(suspects.remove(three)).toBe(true);
    expect(suspects.remove(three)).toBe(false);
    expect(suspects.ended(2)).toEqual([]);
    expect(suspects.ended(0)).toEqual([]);
    expect(suspects.waiting).toBe(0);
  });

  it("are forgotten when the run ends", () => {
    const suspects = new Suspects<LostTask>(maxLosses);
    offered(suspects, [lost(0, 5), lost(1, 5), lost(2, 2), lost(3, 2)]);
    suspects.clear();
    expect([suspects.isEmpty, suspects.waiting, suspects.ended(0)]).toEqual([true, 0, []]);
  });
});
