import { type Outcome, type TaskId, taskId } from "@taskmuster/kvs/protocol";
import type { TaskEnd } from "./engine-port.js";
import { HeldEnds } from "./held-ends.js";
import { type Launched, encodeTaskEnd, isFailure } from "./task-report.js";

export interface TaskEndsOptions {
  readonly host: string;
  /** Ends other than success are held back for a moment: a signal may explain them. */
  readonly holds: boolean;
  /** `ends`: the claim that the report ends; null for a PERENGINE command. */
  readonly report: (ends: TaskId | null, body: Uint8Array) => void;
}

interface Ended {
  readonly task: Launched;
  readonly end: TaskEnd;
}

/** What becomes of the ends of tasks: told at once, or held back first; as they were, or as our or the scheduler's doing. */
export class TaskEnds {
  readonly #options: TaskEndsOptions;
  readonly #held = new HeldEnds<Ended>();
  /** A scheduler's signal says that all this ends: whatever fails from now on failed of that. */
  #signalled = false;
  #done = 0;
  #failed = 0;

  constructor(options: TaskEndsOptions) {
    this.#options = options;
  }

  get done(): number {
    return this.#done;
  }

  get failed(): number {
    return this.#failed;
  }

  get holding(): boolean {
    return this.#held.size > 0;
  }

  /** Tasks that have ended, which nobody is told yet. */
  get held(): readonly Launched[] {
    return this.#held.all.map(({ task }) => task);
  }

  /** A task seems to have died of a scheduler's signal. If it did, whatever is started now dies too. */
  get suspectsSignal(): boolean {
    return this.#held.some(({ end }) => seemsSignalled(end.outcome));
  }

  add(task: Launched, end: TaskEnd): void {
    const mayBeSignals = this.#options.holds && !this.#signalled && !end.stopped;
    if (mayBeSignals && isUnsuccessful(end.outcome)) {
      for (const each of this.#held.add({ task, end })) this.#tell(each);
    } else {
      this.#tell({ task, end });
    }
  }

  /** What has been held back for long enough was nobody's doing but the task's. */
  onDue(): void {
    for (const each of this.#held.due()) this.#tell(each);
  }

  /** Answers whether that explains the end of a START command. */
  onStopSignal(): boolean {
    this.#signalled = true;
    const held = this.#held.takeAll();
    for (const each of held) this.#tell(each);
    return held.some(({ task }) => task.kind === "start");
  }

  outcomeOf(end: TaskEnd): Outcome {
    const ours = end.stopped || (this.#signalled && isUnsuccessful(end.outcome));
    return ours ? { kind: "cancelled" } : end.outcome;
  }

  #tell({ task, end }: Ended): void {
    const outcome = this.outcomeOf(end);
    // What was handed back, or lost, others will do.
    if (outcome.kind !== "cancelled" && outcome.kind !== "lost") this.#done++;
    if (isFailure(outcome)) this.#failed++;
    const ends = task.kind === "task" ? taskId(task.id) : null;
    this.#options.report(ends, encodeTaskEnd(this.#options.host, task, end, outcome));
  }
}

/** By a signal that schedulers send as a warning, or by a shell that tells so of its child. */
function seemsSignalled(outcome: Outcome): boolean {
  if (outcome.kind === "signalled") return warningSignals.has(outcome.signal);
  return outcome.kind === "exited" && warningSignals.has(outcome.code - 128);
}

/** USR1, USR2, TERM. */
const warningSignals: ReadonlySet<number> = new Set([10, 12, 15]);

/** Whether an end may be a signal's doing that was not meant for the task: anything but success. */
function isUnsuccessful(outcome: Outcome): boolean {
  switch (outcome.kind) {
    case "exited":
      return outcome.code !== 0;
    case "signalled":
    case "lost":
      return true;
    case "failedToStart":
    case "timedOut":
    case "cancelled":
      return false;
  }
}
