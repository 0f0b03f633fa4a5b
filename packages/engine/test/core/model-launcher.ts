import type { Outcome } from "@taskmuster/kvs/protocol";
import { expect } from "vitest";
import type { EngineCore, EnginePort, TaskEnd } from "../../src/core/engine-core.js";
import { emptyDigest } from "../../src/core/output-digest.js";

type Told =
  | { readonly kind: "end"; readonly end: TaskEnd }
  | { readonly kind: "recalled"; readonly tags: readonly number[] };

/** Ends of tasks; the last two look like a scheduler's signal. */
const outcomes: readonly Outcome[] = [
  { kind: "exited", code: 0 },
  { kind: "exited", code: 1 },
  { kind: "exited", code: 143 },
  { kind: "signalled", signal: 15 },
];

/** `ids`: of tasks, by their tags. */
export interface ModelEvents {
  onStart(tag: number): void;
  /** It has not begun, though it had a slot. */
  onRefused(tag: number): void;
}

/**
 * A launcher as the core sees it: what is asked of it arrives later (`obey`), what it tells arrives later too (`tell`), each in order, and in
 * between it starts what has been enqueued, in order, whenever a slot is free.
 */
export class ModelLauncher implements Pick<EnginePort, "launch" | "enqueue" | "recall" | "stop"> {
  readonly #slots: number;
  readonly #events: ModelEvents;
  readonly #orders: (() => void)[] = [];
  readonly #queue: number[] = [];
  /** Tags in slots; tags in none. */
  readonly #inSlots = new Set<number>();
  readonly #others = new Set<number>();
  readonly #stopping = new Set<number>();
  /** Answered neither by an end nor by a recall. */
  readonly #unanswered = new Set<number>();
  readonly #told: Told[] = [];
  #fenced = false;

  constructor(slots: number, events: ModelEvents) {
    this.#slots = slots;
    this.#events = events;
  }

  launch(tag: number): void {
    this.#unanswered.add(tag);
    // PERENGINE commands run alone.
    expect(this.#unanswered.size).toBe(1);
    this.#orders.push(() => {
      this.#others.add(tag);
      if (this.#fenced) this.#end(tag, { kind: "lost" }, true, 0);
    });
  }

  enqueue(tag: number): void {
    this.#unanswered.add(tag);
    this.#orders.push(() => {
      this.#queue.push(tag);
      if (this.#fenced) this.#takeBack();
      else this.#fill();
    });
  }

  recall(): void {
    this.#orders.push(() => this.#takeBack());
  }

  stop(tag: number): void {
    expect(this.#unanswered.has(tag)).toBe(true);
    this.#orders.push(() => {
      if (this.#inSlots.has(tag) || this.#others.has(tag)) this.#stopping.add(tag);
    });
  }

  get rests(): boolean {
    const running = this.#inSlots.size + this.#others.size;
    return this.#orders.length + this.#queue.length + running + this.#told.length === 0;
  }

  get runs(): boolean {
    return this.#unanswered.size > 0;
  }

  obey(): void {
    for (const order of this.#orders.splice(0)) order();
  }

  /** One ends; long or in no time. */
  end(which: number, seconds: number): void {
    const running = [...this.#inSlots, ...this.#others];
    const tag = running[which % Math.max(1, running.length)];
    if (tag === undefined) return;
    const stopped = this.#stopping.has(tag);
    const outcome = stopped ? outcomes[3] : outcomes[which % outcomes.length];
    this.#end(tag, outcome ?? { kind: "lost" }, stopped, seconds);
    this.#fill();
  }

  /** The node is out of processes: what is in these slots could not be started after all. */
  refuse(which: number): void {
    const young = [...this.#inSlots].filter((tag) => !this.#stopping.has(tag));
    const tag = young[which % Math.max(1, young.length)];
    if (tag === undefined) return;
    this.#events.onRefused(tag);
    this.#end(tag, { kind: "failedToStart", errno: 11 }, false, 0);
    this.#fill();
  }

  /** The deadline has passed. */
  fall(): void {
    this.#fenced = true;
    this.#takeBack();
    for (const tag of [...this.#inSlots, ...this.#others]) this.#end(tag, { kind: "lost" }, true, 0);
  }

  lift(): void {
    this.#fenced = false;
  }

  /** As a pipe does: whatever has been told until now, ends next to each other together. */
  tell(core: EngineCore): void {
    const ends: TaskEnd[] = [];
    for (const told of this.#told.splice(0)) {
      if (told.kind === "end") {
        ends.push(told.end);
        this.#unanswered.delete(told.end.tag);
        continue;
      }
      if (ends.length > 0) core.onTaskEnds(ends.splice(0));
      for (const tag of told.tags) this.#unanswered.delete(tag);
      core.onRecalled(told.tags);
    }
    if (ends.length > 0) core.onTaskEnds(ends);
  }

  #fill(): void {
    while (this.#inSlots.size < this.#slots) {
      const tag = this.#queue.shift();
      if (tag === undefined) return;
      this.#inSlots.add(tag);
      this.#events.onStart(tag);
    }
  }

  #takeBack(): void {
    const tags = this.#queue.splice(0);
    if (tags.length > 0) this.#told.push({ kind: "recalled", tags });
  }

  #end(tag: number, outcome: Outcome, stopped: boolean, elapsed: number): void {
    expect(this.#inSlots.delete(tag) || this.#others.delete(tag)).toBe(true);
    this.#stopping.delete(tag);
    const nothing = { out: emptyDigest, err: emptyDigest, lastWords: new Uint8Array(0) };
    const end = { tag, outcome, stopped, pid: tag, start: 0, end: 0, elapsed, ...nothing };
    this.#told.push({ kind: "end", end });
  }
}
