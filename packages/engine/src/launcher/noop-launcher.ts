import { emptyDigest } from "../core/output-digest.js";
import type { LaunchRequest, Launcher, LauncherEvents } from "./launcher.js";

/** Runs nothing: every task ends at once with exit status 0, in batches, as many as were launched in one turn of the loop. For benchmarks of all the rest. */
export class NoopLauncher implements Launcher {
  readonly pid = undefined;
  readonly #events: LauncherEvents;
  #launched: number[] = [];

  constructor(events: LauncherEvents) {
    this.#events = events;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  launch({ tag }: LaunchRequest): void {
    if (this.#launched.push(tag) === 1) setImmediate(() => this.#endAll());
  }

  stop(): void {
    // Nothing runs for longer than a turn of the loop.
  }

  setDeadline(): void {
    // Nothing to kill.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #endAll(): void {
    const tags = this.#launched;
    this.#launched = [];
    const now = Date.now() / 1000;
    for (const tag of tags) {
      this.#events.onEnd({
        tag,
        outcome: { kind: "exited", code: 0 },
        stopped: false,
        pid: process.pid,
        start: now,
        end: now,
        elapsed: 0,
        out: emptyDigest,
        err: emptyDigest,
        lastWords: emptyDigest.snippet,
      });
    }
  }
}
