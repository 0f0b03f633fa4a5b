import type { Outcome, StreamDigest } from "@taskmuster/kvs/protocol";

/**
 * What runs tasks and guards them. Every launcher keeps these promises, whatever a task does:
 * - a task is `/bin/bash -c COMMAND` in a session of its own, input from /dev/null, signals at their defaults, none of our
 *   descriptors, our environment and the additions (and one variable, `TASKMUSTER_TASK`, by which its processes are found);
 * - it ends when its shell ends; a child left behind delays nothing and is left alone;
 * - stopping reaches its whole tree and nothing else;
 * - never more tasks than there are slots run in slots, each slot has one at a time, and what waits for one starts in order, as soon as
 *   a shell has ended, without asking us;
 * - no signal but KILL ends what guards the trees, so that a scheduler that signals every process of a job leaves it alone;
 * - when this process dies or is stopped past the deadline, every tree is killed by another process.
 */
export interface Launcher {
  /** The process that guards the trees; undefined while there is none. */
  readonly pid: number | undefined;
  /** Throws `LaunchError`. May be called again after `onFailure`; twice is fine. */
  start(): Promise<void>;
  /** Before the first `enqueue`, once. By rank: what each slot's task has of the node. */
  setSlots(slots: readonly LaunchPlace[]): void;
  /**
   * Starts a task at once, in no slot. Throws a `RangeError` on a tag that is in use or out of range. Every launch is answered by one
   * result of `onEnds`.
   */
  launch(request: LaunchRequest): void;
  /** The same, in a slot: when one is free, and what was enqueued before has one. Its answer may be `onRecalled` instead. */
  enqueue(request: LaunchRequest): void;
  /** Gives back what has no slot yet: answered by `onRecalled` for each, and nothing of it will run. */
  recall(): void;
  /**
   * For one that has a slot or needs none. TERM to the task's whole tree, and KILL `graceMs` later to what is left (0: at once). Again with a smaller grace shortens it.
   * Answered by the task's end, once the whole tree is dead. A tag that is not running is passed over: it has just ended.
   */
  stop(tag: number, graceMs: number): void;
  /**
   * The fence. When it passes, all trees are killed, their tasks end as `lost`, what waits for a slot is given back, `onFenced` is
   * called, and launches are answered with `lost`, and enqueued tasks given back, until a new deadline is set. Without
   * one there is no fence.
   */
  setDeadline(msFromNow: number): void;
  /** Kills what still runs (reported as `lost`), gives back what waits for a slot, and waits until the guarding process is gone. Twice is fine. */
  close(): Promise<void>;
}

export interface LaunchRequest {
  /** 0 to 2^32 - 1, unique among the tasks that run. */
  readonly tag: number;
  /** The text given to the shell, byte for byte. */
  readonly command: Uint8Array;
  /** Added to our own environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Null or not given: it may run for ever. */
  readonly timeout?: Timeout | null;
}

/** When it has run for so long it is stopped, as by `stop`, and ends as `timedOut`, unless it was being stopped already. */
export interface Timeout {
  /** From its shell's start. */
  readonly afterMs: number;
  readonly graceMs: number;
}

/** What a slot gives to its task. */
export interface LaunchPlace {
  /** Added to the task's own, and stronger. */
  readonly env: Readonly<Record<string, string>>;
  /** CPUs that the task may run on, where the launcher can see to that; undefined: all that we may. */
  readonly cpus: readonly number[] | undefined;
}

export interface LaunchResult {
  readonly tag: number;
  readonly outcome: Outcome;
  /**
   * We signalled its tree (`stop`, the fence, `close`) before its shell had ended, or never started it for such a reason. False for one
   * that ended by itself just before the order reached it: its result counts. False for one that timed out, too.
   */
  readonly stopped: boolean;
  /** Of the task's shell; -1 when there was none. */
  readonly pid: number;
  /** Seconds since 1970. */
  readonly start: number;
  readonly end: number;
  /** Seconds, by a monotonic clock. */
  readonly elapsed: number;
  readonly out: StreamDigest;
  readonly err: StreamDigest;
  /** Up to 400 last bytes of standard error; empty when the task succeeded. */
  readonly lastWords: Uint8Array;
}

export interface LauncherEvents {
  /** One or more. While there is enough in the queue to keep the slots busy, ends may come some milliseconds late, many at once. */
  onEnds(results: readonly LaunchResult[]): void;
  /** These were never started, and never will be. */
  onRecalled(tags: readonly number[]): void;
  /** The deadline has passed and every tree is dead. */
  onFenced(): void;
  /** The guarding process died. Its tasks' trees have been killed and their ends, as `lost`, told before, what had no slot yet given back where that is known. */
  onFailure(reason: string): void;
}
