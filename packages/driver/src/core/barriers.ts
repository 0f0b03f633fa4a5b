import type { Failures } from "./failures.js";
import type { Results } from "./results.js";
import type { RunCourse } from "./run-course.js";
import type { StatusRow } from "./status-line/index.js";
import type { BarrierItem } from "./task-file/index.js";

export interface BarriersParts {
  readonly results: Results;
  readonly failures: Failures;
  readonly course: RunCourse;
}

/** Where the run stands with the barriers of its list. One with CHECK stops it when something has failed since the one before. */
export class Barriers {
  readonly #results: Results;
  readonly #failures: Failures;
  readonly #course: RunCourse;
  readonly #posts: { readonly key: string; readonly value: string }[] = [];
  #reached: { readonly item: BarrierItem; readonly at: number } | null = null;

  constructor(parts: BarriersParts) {
    this.#results = parts.results;
    this.#failures = parts.failures;
    this.#course = parts.course;
  }

  /** What waits until all before it has ended. */
  get reached(): BarrierItem | null {
    return this.#reached === null ? null : this.#reached.item;
  }

  /** For each that was passed and has a key: that, and its id. */
  takePosts(): readonly { readonly key: string; readonly value: string }[] {
    return this.#posts.splice(0);
  }

  reach(item: BarrierItem, now: number): void {
    this.#reached = { item, at: now };
  }

  /** All before it has ended. False: none was reached. */
  pass(now: number): boolean {
    if (this.#reached === null) return false;
    const { item, at } = this.#reached;
    this.#reached = null;
    this.#results.barrier(item, at, now);
    if (!this.#stopsAt(item) && item.key !== null)
      this.#posts.push({ key: item.key, value: String(item.id) });
    return true;
  }

  /** A driver before this one has written its row. */
  onPastRow({ id, line, kind }: StatusRow): void {
    // It died before it could say so.
    this.#stopsAt({ id, line, check: kind === "checkBarrier" });
  }

  /** A driver before this one has passed it, whether it came to write that down or not. */
  onPast(item: BarrierItem, now: number): void {
    if (this.#results.has(item.id)) return;
    this.#results.barrier(item, now, now);
    this.#failures.onPastBarrier(item.id);
  }

  #stopsAt({ id, line, check }: Pick<BarrierItem, "id" | "line" | "check">): boolean {
    const stops = this.#failures.takeSinceBarrier() && check;
    if (stops) this.#course.stop({ kind: "barrierCheck", id, line });
    return stops;
  }
}
