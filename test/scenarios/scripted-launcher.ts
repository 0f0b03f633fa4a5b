import { type Outcome, attempt } from "@taskmuster/kvs/protocol";
import type { EnginePort, TaskEnd } from "../../packages/engine/src/core/engine-port.js";
import { SlotQueue } from "../../packages/engine/src/launcher/slot-queue.js";
import type { Invariants } from "./invariants.js";
import { numbered, outcomeText, text } from "./words.js";

type Places = Parameters<SlotQueue["setSlots"]>[0];

export interface ScriptedLauncherOptions {
  /** Of its engine. */
  readonly name: string;
  readonly slots: number;
  readonly places: Places;
  readonly invariants: Invariants;
  readonly say: (what: string) => void;
  readonly onEnd: (end: TaskEnd) => void;
  readonly onRecalled: (tags: readonly number[]) => void;
}

interface Running {
  /** `0`, `0.2`, or `START 0`. */
  readonly label: string;
  readonly id: number | null;
  readonly command: string;
  readonly timeoutMs: number | null;
  stopped: boolean;
}

/** Starts in slots as all launchers do, and does what the command says: see `scriptedOutcome`. */
export class ScriptedLauncher {
  readonly #options: ScriptedLauncherOptions;
  readonly #queue = new SlotQueue();
  readonly #recalled: number[] = [];
  readonly #running = new Map<number, Running>();
  readonly #attempts = new Map<number, number>();

  constructor(options: ScriptedLauncherOptions) {
    this.#options = options;
    this.#queue.setSlots(options.places);
  }

  /** What it waits for: the names of `wait NAME`. */
  get waits(): readonly string[] {
    return [...this.#running.values()].flatMap(({ command }) =>
      command.startsWith("wait ") ? [command.slice(5)] : [],
    );
  }

  /** This attempt was claimed: what is enqueued next is it. */
  onClaimed(id: number, tries: number): void {
    this.#attempts.set(id, tries);
  }

  /** In no slot. */
  launch(tag: number, label: string, command: Uint8Array): void {
    this.#start(tag, label, null, text(command));
  }

  readonly enqueue: EnginePort["enqueue"] = (tag, command, env, timeoutMs) => {
    const timeout = timeoutMs === null ? null : { afterMs: timeoutMs, graceMs: 0 };
    this.#queue.add({ tag, command, env, timeout });
    this.#fill();
  };

  /** What has no slot yet. The core hears of it later. */
  recall(): void {
    this.#recalled.push(...this.#queue.recall());
  }

  stop(tag: number): void {
    const running = this.#running.get(tag);
    if (running !== undefined) running.stopped = true;
  }

  /** Ends a `wait NAME`. False: it does not run here. */
  finish(name: string, code: number): boolean {
    for (const [tag, running] of this.#running) {
      if (running.command !== `wait ${name}`) continue;
      this.#end(tag, { kind: "exited", code }, false);
      return true;
    }
    return false;
  }

  /** A `wait NAME` has run for as long as it may. False: it does not run here. */
  timeOut(name: string): boolean {
    for (const [tag, running] of this.#running) {
      if (running.command !== `wait ${name}`) continue;
      if (running.timeoutMs === null) throw new Error(`wait ${name} may run for ever`);
      this.#end(tag, { kind: "timedOut", signal: 15 }, false);
      return true;
    }
    return false;
  }

  /** Kills all that it runs. */
  fence(): void {
    for (const running of this.#running.values()) running.stopped = true;
    this.recall();
    this.endTasks();
    this.tellRecalled();
  }

  tellRecalled(): boolean {
    if (this.#recalled.length === 0) return false;
    this.#options.onRecalled(this.#recalled.splice(0));
    return true;
  }

  /** All that end by themselves, or were stopped. */
  endTasks(): boolean {
    let ended = false;
    // Those that are started by an end do not end in the same turn.
    const before = [...this.#running];
    for (const [tag, running] of before) {
      const outcome = running.stopped
        ? ({ kind: "signalled", signal: 15 } as const)
        : scriptedOutcome(running.command);
      if (outcome === null) continue;
      this.#end(tag, outcome, running.stopped);
      ended = true;
    }
    return ended;
  }

  /** Starts whatever has a slot. */
  #fill(): void {
    for (let next = this.#queue.next(); next !== null; next = this.#queue.next()) {
      const { request, place } = next;
      const id = Number(request.env["DISBATCH_TASKID"]);
      const label = numbered({ id, attempt: attempt(this.#attempts.get(id) ?? 1) });
      this.#options.invariants.onLaunch(this.#options.name, this.#options.slots, id);
      const slot = `in slot ${place.env["DISBATCH_CYLINDER_RANK"]}`;
      const timeoutMs = request.timeout?.afterMs ?? null;
      this.#start(request.tag, label, id, text(request.command), slot, timeoutMs);
    }
  }

  #start(
    tag: number,
    label: string,
    id: number | null,
    command: string,
    where = "",
    timeoutMs: number | null = null,
  ): void {
    const within = timeoutMs === null ? "" : `, for ${timeoutMs} ms`;
    this.#options.say(`starts ${label}${where === "" ? "" : ` ${where}`}${within}: ${command}`);
    this.#running.set(tag, { label, id, command, timeoutMs, stopped: false });
  }

  #end(tag: number, outcome: Outcome, stopped: boolean): void {
    const running = this.#running.get(tag);
    if (running === undefined) return;
    this.#running.delete(tag);
    if (running.id !== null) this.#options.invariants.onEnd(this.#options.name, running.id);
    this.#options.say(`${running.label} ${stopped ? "is stopped" : `ends: ${outcomeText(outcome)}`}`);
    // Its successor first, as launchers do.
    this.#queue.ended(tag);
    this.#fill();
    const nothing = { bytes: 0, snippet: new Uint8Array(0) };
    const end = {
      pid: 100 + tag,
      start: 0,
      end: 60,
      elapsed: running.command === "quick" ? 0.001 : 60,
      out: nothing,
      err: nothing,
      lastWords: new Uint8Array(0),
    };
    this.#options.onEnd({ tag, outcome, stopped, ...end });
  }
}

/**
 * `wait NAME` runs until it is told to end (null); all others end at once, like the commands that they look like, and tell that they took
 * long, but for `quick`.
 */
function scriptedOutcome(command: string): Outcome | null {
  const [word = "", value] = command.split(" ");
  switch (word) {
    case "true":
    case "quick":
      return { kind: "exited", code: 0 };
    case "exit":
      return { kind: "exited", code: Number(value) };
    case "kill":
      return { kind: "signalled", signal: -Number(value) };
    case "lost":
      return { kind: "lost" };
    case "wait":
      return null;
    default:
      throw new Error(`no script for ${JSON.stringify(command)}`);
  }
}
