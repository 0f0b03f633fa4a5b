import { type ExchangeRequest, type QueuedTask, type Wanted, decodeReport } from "@taskmuster/kvs/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EngineCore, EnginePort } from "../../src/core/engine-core.js";
import { ModelLauncher } from "./model-launcher.js";
import { oneCore, queued, Rig } from "./rig.js";

/**
 * One engine, its launcher, and what a store is to it: a queue, its claims, a bell that is rung only for what it said it waits for. Every
 * step checks that each claimed task is in one place; `settle` lets everything under way come to its end.
 */
class World {
  readonly slots: number;
  readonly core: EngineCore;
  readonly launcher: ModelLauncher;
  readonly queue: QueuedTask[] = [];
  /** Claimed, and neither reported nor released. */
  readonly claimed = new Set<number>();
  readonly reported = new Set<number>();
  /** Of those, begun. */
  readonly #begun = new Set<number>();
  readonly #idOf = new Map<number, number>();
  #request: ExchangeRequest | null = null;
  #published = 0;
  #idle = 0;
  #awaits = false;
  #bell = false;
  #reminder = false;
  #known = false;
  #reports = 0;
  #acknowledged = 0;
  #seq = 0;
  #wanted: Wanted = "run";
  #wantedAtRequest: Wanted = "run";
  #left = false;

  constructor(slots: number, start: number, stop: number, holdsFailures = false) {
    this.slots = slots;
    this.launcher = new ModelLauncher(slots, {
      onStart: (tag) => {
        const id = this.#idOf.get(tag) ?? -1;
        expect([this.claimed.has(id), this.#begun.has(id)]).toEqual([true, false]);
        this.#begun.add(id);
      },
      onRefused: (tag) => this.#begun.delete(this.#idOf.get(tag) ?? -1),
    });
    const port: EnginePort = {
      launch: (tag) => this.launcher.launch(tag),
      enqueue: (tag, _command, env) => {
        this.#idOf.set(tag, Number(env["DISBATCH_TASKID"]));
        this.launcher.enqueue(tag);
      },
      recall: () => this.launcher.recall(),
      stop: (tag) => this.launcher.stop(tag),
      exchange: (request) => this.#onExchange(request),
      remind: () => {
        expect(this.#reminder).toBe(false);
        this.#reminder = true;
      },
      leave: () => {
        expect([this.#left, this.launcher.runs, this.claimed.size, this.#acknowledged]).toEqual([
          false,
          false,
          0,
          this.#reports,
        ]);
        this.#left = true;
      },
    };
    const perEngine = {
      start: Array.from({ length: start }, String),
      stop: Array.from({ length: stop }, String),
    };
    this.core = new Rig({ slots, ...perEngine, needs: [], maxReports: 3, holdsFailures }, port).core;
    this.core.begin();
  }

  get left(): boolean {
    return this.#left;
  }

  publish(count: number): void {
    for (let i = 0; i < count; i++) this.queue.push(queued(this.#published++));
    this.#known ||= count > 0;
    if (count > 0 && this.#idle > 0) this.#ring();
  }

  /** The store does what the request says, and the answer comes. `late`: it had done so before the orders that were given since. */
  answer(late: boolean): void {
    const request = this.#request;
    if (request === null) return;
    this.#request = null;
    const wanted = late ? this.#wantedAtRequest : this.#wanted;
    for (const { number, ends, body } of request.reports) {
      expect(number).toBe(++this.#reports);
      const { kind, id, outcome } = decodeReport(body);
      expect(ends).toBe(kind === "task" ? id : null);
      if (kind !== "task") continue;
      expect([this.claimed.delete(id), this.#begun.delete(id)]).toEqual([true, true]);
      if (outcome.kind !== "cancelled" && outcome.kind !== "lost") this.reported.add(id);
    }
    for (const task of request.releases) {
      // What is handed back has not begun here.
      expect([this.claimed.delete(task.id), this.#begun.has(task.id)]).toEqual([true, false]);
      this.queue.push(task);
    }
    const tasks = wanted === "run" ? this.queue.splice(0, request.wants[0]?.max ?? 0) : [];
    for (const task of tasks) {
      expect(this.claimed.has(task.id) || this.reported.has(task.id)).toBe(false);
      this.claimed.add(task.id);
    }
    expect(this.claimed.size).toBeLessThanOrEqual(this.slots + 256);
    this.#idle = wanted === "run" ? Math.max(0, request.idleSlots - tasks.length) : 0;
    this.#awaits = request.awaitsAcknowledgement;
    const needs = this.#known ? [oneCore] : [];
    this.core.onExchanged({ tasks, acknowledged: this.#acknowledged, wanted, needs });
  }

  /** The launcher tells what has happened there until now. */
  tell(): void {
    this.launcher.tell(this.core);
  }

  acknowledge(): void {
    if (this.#acknowledged === this.#reports) return;
    this.#acknowledged = this.#reports;
    if (this.#awaits) this.#ring();
  }

  order(wanted: Wanted): void {
    const rank = { run: 0, hold: 1, drain: 2, stop: 3 };
    if (rank[wanted] <= rank[this.#wanted]) return;
    this.#wanted = wanted;
    this.#ring();
  }

  /** A stop that does not come through the store. */
  signal(): void {
    this.core.stop("SIGTERM");
  }

  /** A scheduler's, which it has sent to the tasks too. */
  schedulerSignal(): void {
    this.core.onStopSignal("SIGTERM");
  }

  leaveByItself(): void {
    this.core.drain("idle");
  }

  heldDue(): void {
    this.core.onHeldDue();
  }

  renewal(): void {
    this.core.onAcknowledged(this.#acknowledged);
    this.core.onWanted(this.#wanted);
  }

  second(): void {
    this.core.onSecond();
  }

  remind(): void {
    if (!this.#reminder) return;
    this.#reminder = false;
    this.core.onReminder();
  }

  hear(): void {
    if (!this.#bell) return;
    this.#bell = false;
    this.core.onBell();
  }

  /** Everything comes to its end, but no renewal comes to help. */
  settle(): void {
    this.launcher.lift();
    for (let step = 0; step < 10_000; step++) {
      const quiet = !this.#bell && !this.#reminder && !this.core.holds;
      const tight = this.core.stats.outOf !== "";
      const rests = quiet && this.#request === null && this.launcher.rests && !tight;
      const acknowledged = this.#acknowledged;
      this.hear();
      this.remind();
      this.heldDue();
      this.second();
      this.answer(false);
      this.launcher.obey();
      this.launcher.end(0, 1);
      this.tell();
      this.acknowledge();
      if (rests && acknowledged === this.#acknowledged) return;
    }
    throw new Error("it never comes to rest");
  }

  #onExchange(request: ExchangeRequest): void {
    expect(this.#request).toBeNull();
    expect(request.seq).toBe(++this.#seq);
    expect(request.reports.length).toBeLessThanOrEqual(3);
    this.#request = request;
    this.#wantedAtRequest = this.#wanted;
  }

  #ring(): void {
    this.#bell = true;
    this.#idle = 0;
  }
}

type Step =
  | { readonly do: "publish"; readonly count: number }
  | { readonly do: "answer"; readonly late: boolean }
  | { readonly do: "end"; readonly which: number; readonly seconds: number }
  | { readonly do: "refuse"; readonly which: number }
  | { readonly do: "second" }
  | { readonly do: "hear" | "acknowledge" | "renewal" | "remind" | "heldDue" | "tell" }
  | { readonly do: "obey" | "fall" | "lift" }
  | { readonly do: "order"; readonly wanted: Wanted }
  | { readonly do: "signal" | "schedulerSignal" | "leaveByItself" };

function take(world: World, step: Step): void {
  switch (step.do) {
    case "publish":
      return world.publish(step.count);
    case "answer":
      return world.answer(step.late);
    case "end":
      return world.launcher.end(step.which, step.seconds);
    case "refuse":
      return world.launcher.refuse(step.which);
    case "obey":
    case "fall":
    case "lift":
      return world.launcher[step.do]();
    case "order":
      return world.order(step.wanted);
    case "hear":
    case "acknowledge":
    case "renewal":
    case "second":
    case "remind":
    case "heldDue":
    case "tell":
    case "signal":
    case "schedulerSignal":
    case "leaveByItself":
      return world[step.do]();
  }
}

const event: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("answer" as const), late: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      which: fc.nat(20),
      seconds: fc.constantFrom(0, 60),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom("hear", "hear", "acknowledge", "renewal", "remind", "heldDue"),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("obey") }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("refuse" as const), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("second" as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("tell") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("fall", "lift") }) },
);
const order: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("order" as const), wanted: fc.constantFrom<Wanted>("drain", "stop") }),
  fc.record({ do: fc.constantFrom("signal", "schedulerSignal", "leaveByItself") }),
);
const slots = fc.integer({ min: 1, max: 4 });

describe("an engine core under any sequence of events", () => {
  it("leaves no published task lying, without a renewal to wake it", () => {
    fc.assert(
      fc.property(
        slots,
        fc.nat(2),
        fc.nat(2),
        fc.boolean(),
        fc.array(event, { maxLength: 60 }),
        (size, start, stop, holds, events) => {
          const world = new World(size, start, stop, holds);
          for (const step of events) take(world, step);
          world.settle();
          expect(world.queue).toEqual([]);
          expect(world.claimed.size).toBe(0);
          expect(world.left).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("ends every claim in one report or release, and leaves, when it is told to drain or stop at any time", () => {
    const mixed = fc.array(fc.oneof({ weight: 20, arbitrary: event }, { weight: 1, arbitrary: order }), {
      maxLength: 60,
    });
    const after = fc.array(event, { maxLength: 20 });
    fc.assert(
      fc.property(
        slots,
        fc.nat(2),
        fc.nat(2),
        fc.boolean(),
        mixed,
        order,
        after,
        (size, start, stop, holds, before, last, rest) => {
          const world = new World(size, start, stop, holds);
          for (const step of [...before, last, ...rest]) take(world, step);
          world.settle();
          expect(world.claimed.size).toBe(0);
          expect(world.left).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
