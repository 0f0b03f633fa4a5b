import type { RunView } from "@taskmuster/driver";
import { duration, rateText } from "./wording.js";

/**
 * What the progress line says. Pure: `now` in ms, monotonic. The rate is that of the last while, so that it follows a list
 * whose tasks change; no time left is told before enough tasks have ended to guess from.
 */
export class Progress {
  readonly #total: number | null;
  readonly #startedAt: number;
  readonly #samples: { readonly at: number; readonly done: number }[];

  /** `total`: tasks of the list, null when it is not known. */
  constructor(total: number | null, now: number) {
    this.#total = total;
    this.#startedAt = now;
    this.#samples = [{ at: now, done: 0 }];
  }

  /** At most `columns` characters. */
  line(view: RunView, now: number, columns: number): string {
    const done = view.done + view.skipped;
    this.#sample(view.done, now);
    const rate = this.#rate(now);
    const parts = [this.#total === null ? `${done} done` : `${done}/${this.#total}${this.#percent(done)}`];
    if (view.failed > 0) parts.push(`${view.failed} failed`);
    if (view.skipped > 0) parts.push(`${view.skipped} skipped`);
    if (view.retried > 0) parts.push(`${view.retried} tried again`);
    if (view.lost > 0) parts.push(`${view.lost} lost`);
    parts.push(
      view.engines === 0 && view.phase === "running" ? "waiting for engines" : `${view.running} running`,
    );
    if (rate > 0) parts.push(rateText(rate));
    const left = this.#secondsLeft(view, rate, now);
    if (left !== null) parts.push(`${duration(left)} left`);
    if (view.atBarrier !== null) parts.push("at a barrier");
    if (view.held !== null) parts.push("waiting: the status file cannot be written");
    if (view.phase === "draining" && view.reason?.kind === "drained") parts.push("finishing what runs");
    if (view.phase === "stopping") parts.push("stopping");
    const line = parts.join("  ");
    return line.length > columns ? line.slice(0, Math.max(0, columns)) : line;
  }

  #percent(done: number): string {
    return this.#total === null || this.#total === 0 ? "" : ` ${Math.floor((100 * done) / this.#total)}%`;
  }

  #sample(done: number, now: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.at < sampleMs) return;
    this.#samples.push({ at: now, done });
    while (this.#samples.length > 2 && now - (this.#samples[1]?.at ?? now) > windowMs) this.#samples.shift();
  }

  /** Tasks per second. */
  #rate(now: number): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || now - this.#startedAt < sampleMs) return 0;
    return last.at === first.at ? 0 : (1000 * (last.done - first.done)) / (last.at - first.at);
  }

  #secondsLeft(view: RunView, rate: number, now: number): number | null {
    if (this.#total === null || rate === 0 || view.phase !== "running") return null;
    // The first round of tasks tells nothing yet about how long a task takes.
    if (view.done <= view.slots || now - this.#startedAt < 2 * sampleMs) return null;
    return (this.#total - view.done - view.skipped) / rate;
  }
}

const sampleMs = 1_000;
const windowMs = 30_000;
