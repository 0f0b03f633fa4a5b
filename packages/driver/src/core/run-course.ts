import type { Wanted } from "@taskmuster/kvs/protocol";
import { type EndReason, isStop } from "./end-reason.js";
import type { RunView } from "./run-view.js";

/**
 * Where a run stands between its beginning and its end, and why it ends.
 *
 *   running ──(list at its end and everything ended, or drain)──> draining ──(no context left)──> ended
 *      └───────(stop: a signal, fail-fast, BARRIER CHECK, …)────> stopping ──(no context left)──> ended
 *
 * A drain may become a stop. Only this class changes the phase.
 */
export class RunCourse {
  readonly #onLastTask: () => void;
  #phase: RunView["phase"] = "running";
  #reason: EndReason | null = null;
  #order: Wanted | null = null;

  /** `onLastTask`: nothing is handed out from now on. */
  constructor(onLastTask: () => void) {
    this.#onLastTask = onLastTask;
  }

  get phase(): RunView["phase"] {
    return this.#phase;
  }

  get isRunning(): boolean {
    return this.#phase === "running";
  }

  get reason(): EndReason | null {
    return this.#reason;
  }

  /** What all engines shall do from now on, when that has changed. */
  takeOrder(): Wanted | null {
    const order = this.#order;
    this.#order = null;
    return order;
  }

  /** The list cannot be read on. What was read before runs to its end. */
  onBadInput(message: string): void {
    this.#reason ??= { kind: "badInput", message };
  }

  /** Everything of the list has ended. */
  finish(): void {
    this.#end("draining", this.#reason ?? { kind: "finished" }, "drain");
  }

  /** Lets what runs end and starts nothing more. */
  drain(signal: string): void {
    if (this.#phase === "running") this.#end("draining", { kind: "drained", signal }, "drain");
  }

  /** Nothing more is claimed for a while, or is again. */
  hold(on: boolean): void {
    if (this.#phase === "running") this.#order = on ? "hold" : "run";
  }

  /** Stops what runs. The first reason to stop is kept. */
  stop(reason: EndReason): void {
    if (this.#phase === "stopping" || this.#phase === "ended") return;
    const kept = this.#reason !== null && isStop(this.#reason) ? this.#reason : reason;
    this.#end("stopping", kept, "stop");
  }

  /** Nobody is left to run anything, and nobody will come. Who joins this very moment is told to go. */
  noEngines(message: string): void {
    if (this.#phase !== "running") return;
    // A list that has a bad line says so rather than that nobody is there to run what came before.
    this.#end("stopping", this.#reason ?? { kind: "noEngines", message }, "stop");
  }

  /** Every engine is gone and every report of theirs has been received. */
  onNobodyLeft(): void {
    this.noEngines("");
    this.#phase = "ended";
  }

  #end(phase: "draining" | "stopping", reason: EndReason, order: Wanted): void {
    this.#phase = phase;
    this.#reason = reason;
    this.#order = order;
    this.#onLastTask();
  }
}
