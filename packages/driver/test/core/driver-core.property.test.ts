import { type Outcome, type QueuedTask, attempt, taskId } from "@taskmuster/kvs/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alice, cancelled, DriverRig, failure, lost, report, success } from "./driver-rig.js";

type Line = "task" | "barrier";
interface Attempt {
  readonly id: number;
  readonly attempt: number;
}

/** The driver's core with a queue, and engines of which any may be lost and come back. */
class World {
  readonly rig = new DriverRig({ maxLosses: 3 });
  readonly #lines: readonly Line[];
  readonly #queue: QueuedTask[] = [];
  readonly #claims: Attempt[] = [];
  /** Of engines that were taken for lost: their ends may come in any time. */
  readonly #ghosts: Attempt[] = [];
  readonly #final = new Map<number, number>();
  #next = 0;
  #number = 0;

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  read(): void {
    const line = this.#lines[this.#next];
    if (!this.rig.core.wantsItems) return;
    this.#next++;
    if (line === undefined) this.rig.end();
    else if (line === "task") this.rig.task();
    else this.rig.barrier();
    this.#look();
  }

  claim(which: number): void {
    const [task] = this.#queue.splice(which % Math.max(1, this.#queue.length), 1);
    if (task !== undefined) this.#claims.push({ id: task.id, attempt: task.attempt });
  }

  /** What a claimed attempt, or one of a ghost, came to. */
  report(which: number, outcome: Outcome, ghost: boolean): void {
    const list = ghost ? this.#ghosts : this.#claims;
    const [claim] = list.splice(which % Math.max(1, list.length), 1);
    if (claim === undefined) return;
    const number = ++this.#number;
    this.rig.core.onReports(
      [{ engine: alice, number, report: report(claim.id, outcome, claim.attempt, "task") }],
      this.rig.now,
    );
    this.#look();
  }

  lose(which: number, heard: boolean): void {
    const [claim] = this.#claims.splice(which % Math.max(1, this.#claims.length), 1);
    if (claim === undefined) return;
    this.rig.core.onEngineLost([{ id: taskId(claim.id), attempt: attempt(claim.attempt) }], this.rig.now);
    if (heard) this.#ghosts.push(claim);
    this.#look();
  }

  withdraw(): void {
    const withdrawal = this.rig.withdrawals.shift();
    if (withdrawal === undefined) return;
    const at = this.#queue.findIndex(
      ({ id, attempt: tries }) => id === withdrawal.task.id && tries === withdrawal.task.attempt,
    );
    if (at !== -1) this.#queue.splice(at, 1);
    this.rig.core.onWithdrawn(withdrawal, at !== -1, this.rig.now);
    this.#look();
  }

  settle(): void {
    for (let i = 0; i < 5000 && this.rig.core.phase === "running"; i++) {
      this.withdraw();
      this.read();
      this.claim(0);
      this.report(0, success, false);
    }
    // Whoever is heard of only now changes nothing any more.
    for (let i = 0; i < 100; i++) this.report(0, i % 2 === 0 ? success : failure, true);
    this.withdraw();
    expect(this.rig.core.phase).toBe("draining");
    expect([...this.#final.keys()].toSorted((a, b) => a - b)).toEqual(this.#lines.map((_, id) => id));
    expect([...this.#final.values()].every((count) => count === 1)).toBe(true);
    const tasks = this.#lines.filter((line) => line === "task").length;
    expect(this.rig.core.view).toMatchObject({ done: tasks, outstanding: 0 });
    expect(this.#queue).toEqual([]);
  }

  #look(): void {
    for (
      let publish = this.rig.core.takePublish(3, 1000);
      publish !== null;
      publish = this.rig.core.takePublish(3, 1000)
    ) {
      for (const task of publish.tasks) {
        expect(this.#final.has(task.id)).toBe(false);
        for (const [id, line] of this.#lines.entries()) {
          if (line === "barrier" && id < task.id) expect(this.#final.has(id)).toBe(true);
        }
      }
      if (publish.where === "front") this.#queue.unshift(...publish.tasks);
      else this.#queue.push(...publish.tasks);
    }
    this.rig.withdrawals.push(...this.rig.core.takeWithdrawals());
    for (const row of this.rig.core.takeRows()) {
      if (row.kind === "zombie" || row.kind === "copied") continue;
      this.#final.set(row.id, (this.#final.get(row.id) ?? 0) + 1);
      // A barrier's row says that all before it have theirs.
      if (row.kind === "barrier") for (let id = 0; id < row.id; id++) expect(this.#final.has(id)).toBe(true);
    }
  }
}

type Event =
  | { readonly do: "read" | "withdraw" }
  | { readonly do: "claim"; readonly which: number }
  | { readonly do: "report"; readonly which: number; readonly outcome: Outcome; readonly ghost: boolean }
  | { readonly do: "lose"; readonly which: number; readonly heard: boolean };

function take(world: World, event: Event): void {
  switch (event.do) {
    case "read":
    case "withdraw":
      return world[event.do]();
    case "claim":
      return world.claim(event.which);
    case "report":
      return world.report(event.which, event.outcome, event.ghost);
    case "lose":
      return world.lose(event.which, event.heard);
  }
}

const which = fc.nat(50);
const outcome = fc.constantFrom(success, success, failure, cancelled, lost);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ do: fc.constantFrom("read", "read", "withdraw") }),
  fc.record({ do: fc.constant("claim" as const), which }),
  fc.record({ do: fc.constant("report" as const), which, outcome, ghost: fc.boolean() }),
  fc.record({ do: fc.constant("lose" as const), which, heard: fc.boolean() }),
);

describe("the driver's core under any sequence of events", () => {
  it("gives every line exactly one final row, and lets no task past a barrier", () => {
    const lines = fc.array(fc.constantFrom<Line>("task", "task", "task", "barrier"), { maxLength: 12 });
    fc.assert(
      fc.property(lines, fc.array(event, { maxLength: 120 }), (list, events) => {
        const world = new World(list);
        for (const each of events) take(world, each);
        world.settle();
      }),
      { numRuns: 500 },
    );
  });
});
