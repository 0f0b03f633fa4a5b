import type { Outcome } from "@taskmuster/kvs/protocol";
import { emptyDigest } from "../core/output-digest.js";
import type { LaunchPlace, LaunchRequest, LaunchResult, Launcher, LauncherEvents } from "./launcher.js";
import { SlotQueue } from "./slot-queue.js";

/**
 * Runs nothing. A task whose command is `sleep SECONDS` has a slot for so long; every other ends at once with exit status 0, in batches, as
 * many as were launched in one turn of the loop. For benchmarks of all the rest.
 */
export class NoopLauncher implements Launcher {
  readonly pid = undefined;
  readonly #events: LauncherEvents;
  readonly #queue = new SlotQueue();
  readonly #asleep = new Map<number, NodeJS.Timeout>();
  #ended: LaunchResult[] = [];

  constructor(events: LauncherEvents) {
    this.#events = events;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  setSlots(slots: readonly LaunchPlace[]): void {
    this.#queue.setSlots(slots);
  }

  launch({ tag }: LaunchRequest): void {
    this.#end(tag, 0);
  }

  enqueue(request: LaunchRequest): void {
    if (sleepSeconds(request.command) === 0) this.#end(request.tag, 0);
    else {
      this.#queue.add(request);
      this.#fill();
    }
  }

  recall(): void {
    const tags = this.#queue.recall();
    if (tags.length > 0) setImmediate(() => this.#events.onRecalled(tags));
  }

  stop(tag: number): void {
    const timer = this.#asleep.get(tag);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#wake(tag, 0, "stopped");
  }

  setDeadline(): void {
    // Nothing to kill.
  }

  close(): Promise<void> {
    for (const timer of this.#asleep.values()) clearTimeout(timer);
    this.#asleep.clear();
    return Promise.resolve();
  }

  #fill(): void {
    for (let next = this.#queue.next(); next !== null; next = this.#queue.next()) {
      const { tag, command, timeout } = next.request;
      const seconds = sleepSeconds(command);
      const mostSeconds = (timeout?.afterMs ?? Infinity) / 1000;
      const [slept, end] =
        seconds > mostSeconds ? ([mostSeconds, "timedOut"] as const) : ([seconds, "done"] as const);
      this.#asleep.set(
        tag,
        setTimeout(() => this.#wake(tag, slept, end), slept * 1000),
      );
    }
  }

  #wake(tag: number, seconds: number, how: NoopEnd): void {
    this.#asleep.delete(tag);
    this.#queue.ended(tag);
    this.#end(tag, seconds, how);
    this.#fill();
  }

  #end(tag: number, elapsed: number, how: NoopEnd = "done"): void {
    const end = Date.now() / 1000;
    const count = this.#ended.push({
      tag,
      outcome: outcomes[how],
      stopped: how === "stopped",
      pid: process.pid,
      start: end - elapsed,
      end,
      elapsed,
      out: emptyDigest,
      err: emptyDigest,
      lastWords: emptyDigest.snippet,
    });
    if (count === 1) setImmediate(() => this.#tell());
  }

  #tell(): void {
    const ended = this.#ended;
    this.#ended = [];
    this.#events.onEnds(ended);
  }
}

type NoopEnd = "done" | "stopped" | "timedOut";

const outcomes: Readonly<Record<NoopEnd, Outcome>> = {
  done: { kind: "exited", code: 0 },
  stopped: { kind: "signalled", signal: 15 },
  timedOut: { kind: "timedOut", signal: 15 },
};

const letterS = 0x73;

function sleepSeconds(command: Uint8Array): number {
  if (command[0] !== letterS) return 0;
  const seconds = /^sleep (\d+(?:\.\d+)?)$/.exec(Buffer.from(command).toString("latin1"))?.[1];
  return seconds === undefined ? 0 : Number(seconds);
}
