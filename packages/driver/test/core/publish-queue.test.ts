import { describe, expect, it } from "vitest";
import { PublishQueue } from "../../src/core/publish-queue.js";
import { outstandingTask } from "./outstanding-task.js";

const many = 1_000_000;

function queueOf(ids: readonly number[]): PublishQueue {
  const queue = new PublishQueue();
  for (const id of ids) queue.add(outstandingTask(id, "12345"));
  return queue;
}

/** `front 0 1`; null: there was nothing. */
function taken(queue: PublishQueue, maxTasks = many, maxBytes = many): string | null {
  const publish = queue.take(maxTasks, maxBytes);
  return publish === null ? null : [publish.where, ...publish.tasks.map(({ id }) => id)].join(" ");
}

describe("the queue of tasks to be published", () => {
  it("gives them in their order, what is offered again before what comes from the list, and not both at once", () => {
    const queue = queueOf([0, 1]);
    queue.addInFront(outstandingTask(9));
    queue.addInFront(outstandingTask(8));
    expect([taken(queue), taken(queue), taken(queue)]).toEqual(["front 9 8", "back 0 1", null]);
  });

  it("gives no more than so many tasks, or bytes but for the task that goes beyond them", () => {
    const queue = queueOf([0, 1, 2, 3, 4, 5]);
    expect(taken(queue, 2)).toBe("back 0 1");
    expect(taken(queue, many, 6)).toBe("back 2 3");
    expect(taken(queue, many, 1)).toBe("back 4");
    expect(taken(queue)).toBe("back 5");
  });

  it("gives first, and once, what was taken last and put back", () => {
    const queue = queueOf([0, 1, 2]);
    expect([taken(queue, 2), taken(queue, 1)]).toEqual(["back 0 1", "back 2"]);
    queue.putBack();
    queue.putBack();
    queue.add(outstandingTask(3));
    expect([taken(queue), taken(queue)]).toEqual(["back 2 3", null]);
    queue.addInFront(outstandingTask(1));
    expect(taken(queue)).toBe("front 1");
    queue.addInFront(outstandingTask(4));
    queue.putBack();
    expect(taken(queue)).toBe("front 1 4");
  });

  it("knows what waits in it, and lets it be taken out", () => {
    const queue = new PublishQueue();
    const [one, other, third] = [outstandingTask(0), outstandingTask(1), outstandingTask(2)];
    queue.add(one);
    queue.addInFront(other);
    expect(queue.tasks()).toEqual([other, one]);
    expect([one, other, third].map((task) => queue.remove(task))).toEqual([true, true, false]);
    expect(queue.remove(one)).toBe(false);
    expect([queue.tasks(), taken(queue)]).toEqual([[], null]);
  });

  it("tells from where on nothing was taken, in whatever order it was", () => {
    const queue = queueOf([0, 1, 2]);
    expect(queue.published).toBe(0);
    taken(queue, 2);
    expect(queue.published).toBe(2);
    queue.addInFront(outstandingTask(0));
    taken(queue);
    expect(queue.published).toBe(2);
    taken(queue);
    expect(queue.published).toBe(3);
  });

  it("mixes what comes from the list, and nothing else", () => {
    const ids = Array.from({ length: 50 }, (_, id) => id);
    const queue = queueOf(ids);
    queue.mix();
    for (const id of [53, 51, 52]) queue.addInFront(outstandingTask(id));
    expect(taken(queue)).toBe("front 53 51 52");
    const mixed = queue.take(many, many)?.tasks.map(({ id }) => Number(id)) ?? [];
    expect(mixed).not.toEqual(ids);
    expect(mixed.toSorted((a, b) => a - b)).toEqual(ids);
    const places = ids.map((id) => {
      queue.add(outstandingTask(id));
      return queue.take(many, many)?.where;
    });
    expect(new Set(places)).toEqual(new Set(["front", "back"]));
  });
});
