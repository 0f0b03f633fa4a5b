import { attempt, taskId } from "@taskmuster/kvs/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import type { Outstanding } from "../../src/core/outstanding.js";
import { OutstandingTasks } from "../../src/core/outstanding-tasks.js";
import { PublishQueue } from "../../src/core/publish-queue.js";
import { plainPolicy } from "../../src/core/task-policy.js";
import { oneCore, taskItem } from "./outstanding-task.js";

const policy = { ...plainPolicy, retries: 1, retryDelayMs: 1000 };

let queue: PublishQueue;
let tasks: OutstandingTasks;

beforeEach(() => {
  queue = new PublishQueue();
  tasks = new OutstandingTasks(queue, { needs: oneCore, maxLosses: 2, policy });
});

function add(...ids: readonly number[]): void {
  for (const id of ids) tasks.add(taskItem(id), null);
}

function task(id: number): Outstanding {
  const found = tasks.get(id);
  if (found === undefined) throw new Error(`no task ${id}`);
  return found;
}

/** `0.1 2.3`: ids and attempts of what is to be published; all of it. */
function published(): string {
  const taken = [queue.take(1000, 1_000_000), queue.take(1000, 1_000_000)];
  return taken
    .flatMap((each) => each?.tasks ?? [])
    .map(({ id, attempt: tried }) => `${id}.${tried}`)
    .join(" ");
}

describe("outstanding tasks", () => {
  it("are counted with the bytes of their commands until they are deleted, once", () => {
    tasks.add(taskItem(0, "12345"), null);
    tasks.add(taskItem(1, "12"), null);
    expect([tasks.size, tasks.bytes, tasks.has(0), tasks.get(2)]).toEqual([2, 7, true, undefined]);
    const first = task(0);
    tasks.delete(first);
    tasks.delete(first);
    expect([tasks.size, tasks.bytes, tasks.has(0)]).toEqual([1, 2, false]);
  });

  it("are to be published, unless an engine had them before", () => {
    add(0);
    const past = { losses: 0, failed: [] };
    tasks.add(taskItem(1), { ...past, attempt: attempt(1), held: true });
    tasks.add(taskItem(2), { ...past, attempt: attempt(3), held: false });
    expect(published()).toBe("0.1 2.3");
    expect([0, 1, 2].map((id) => tasks.reoffered(id)?.attempt)).toEqual([undefined, undefined, 3]);
  });

  it("are offered again in front when they are handed back, as the next attempt", () => {
    add(0);
    published();
    add(1);
    tasks.handBack(task(0));
    expect([published(), tasks.size, tasks.reoffered(0)]).toEqual(["0.2 1.1", 2, task(0)]);
  });

  it("wait for their retry in no place that an engine could use", () => {
    add(0, 1);
    published();
    tasks.retry(task(0));
    expect([tasks.size, tasks.active, published()]).toEqual([2, 1, ""]);
    expect(tasks.offerDue(0)).toBeGreaterThanOrEqual(1000);
    expect([tasks.offerDue(2000), tasks.active, published()]).toEqual([null, 2, "0.2"]);
    expect([task(0).failed, task(0).losses]).toEqual([[1], 0]);
  });

  it("are offered with those that were lost with them, until they are suspects", () => {
    add(0, 1);
    published();
    for (const [times, again] of ["0.2 1.2", "0.3"].entries()) {
      const next = [0, 1].map((id) => tasks.lose(task(id), times > 0));
      tasks.offerLost(next);
      expect(published()).toBe(again);
    }
    expect(tasks.active).toBe(1);
    tasks.delete(task(0));
    expect([published(), tasks.active]).toEqual(["1.3", 1]);
  });

  it("are taken back from wherever they wait, but not from engines", () => {
    add(0, 1, 2, 3);
    expect(tasks.unoffer(task(0))).toBe(true);
    expect(published()).toBe("1.1 2.1 3.1");
    tasks.retry(task(1));
    expect(tasks.unoffer(task(1))).toBe(true);
    expect([tasks.offerDue(0), tasks.unoffer(task(2))]).toEqual([null, false]);
  });

  it("are remembered after their end if an attempt was given up: as the one that ended", () => {
    add(0, 1);
    tasks.handBack(task(0));
    const early = { ...task(0), attempt: attempt(1) };
    for (const ended of [early, task(1)]) {
      tasks.delete(ended);
      tasks.endedAs(ended);
    }
    expect([tasks.reoffered(0), tasks.reoffered(1)]).toEqual([early, undefined]);
  });

  it("are unsettled when the store forgets, but for those that it never had, or that an engine announces", () => {
    add(0, 1, 2, 3, 4);
    published();
    add(5);
    tasks.retry(task(4));
    tasks.onForgotten();
    tasks.onAnnounced([
      { id: taskId(0), attempt: attempt(1) },
      { id: taskId(1), attempt: attempt(2) },
    ]);
    tasks.handBack(task(2));
    expect(tasks.takeUnsettled().map(({ id }) => Number(id))).toEqual([1, 3]);
    expect(tasks.takeUnsettled()).toEqual([]);
  });

  it("wait for nothing when nothing is offered any more", () => {
    add(0);
    tasks.retry(task(0));
    tasks.stopWaiting();
    expect([tasks.offerDue(1_000_000), tasks.active]).toEqual([null, 1]);
  });
});
