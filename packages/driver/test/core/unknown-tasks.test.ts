import { attempt, taskId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { Inheritance } from "../../src/core/inheritance.js";
import type { Item } from "../../src/core/task-file/index.js";
import { UnknownTasks } from "../../src/core/unknown-tasks.js";
import { barrierItem as barrier, taskItem as task } from "../items.js";

const nothing = { givenUp: [], held: [] };

function look(items: readonly Item[], ended: readonly number[], unknown: UnknownTasks): UnknownTasks {
  for (const item of items) unknown.look(item, "id" in item && ended.includes(item.id));
  return unknown;
}

describe("UnknownTasks", () => {
  it("are those without a row, as many as were handed out at a time", () => {
    const items = [0, 1, 2, 3, 4, 5, 6].map((id) => task(id));
    const found = look(items, [1, 3], new UnknownTasks(new Inheritance(nothing), 4));
    expect(found.ids).toEqual([
      [0, 0],
      [2, 2],
      [4, 5],
    ]);
    expect(found.count).toBe(4);
    expect([...found.all()].map(({ id }) => id)).toEqual([0, 2, 4, 5]);
  });

  it("do not lie behind a barrier that waits for others", () => {
    const items = [task(0), task(1), barrier(2), task(3)];
    expect(look(items, [0], new UnknownTasks(new Inheritance(nothing), null)).ids).toEqual([[1, 1]]);
    // All before it have ended: it may have been passed, and its row not be written.
    expect(look(items, [0, 1], new UnknownTasks(new Inheritance(nothing), null)).ids).toEqual([[3, 3]]);
    expect(look(items, [0, 2], new UnknownTasks(new Inheritance(nothing), null)).ids).toEqual([
      [1, 1],
      [3, 3],
    ]);
  });

  it("are named with the attempt that may have begun", () => {
    const inherited = new Inheritance({
      givenUp: [{ id: taskId(1), attempt: attempt(2), lost: true }],
      held: [],
    });
    const found = look([task(0), task(1), task(2)], [], new UnknownTasks(inherited, null));
    expect([found.ids, found.tasks]).toEqual([
      [
        [0, 0],
        [2, 2],
      ],
      [{ id: 1, attempt: 3 }],
    ]);
    expect([...found.all()].toSorted((a, b) => a.id - b.id)).toEqual([
      { id: 0, attempt: 1 },
      { id: 1, attempt: 3 },
      { id: 2, attempt: 1 },
    ]);
    expect(found.count).toBe(3);
  });

  it("are none where the store tells", () => {
    expect(look([task(0)], [], new UnknownTasks(new Inheritance(nothing), 0)).count).toBe(0);
  });
});
