import type { ClaimedTask, NeedsKey } from "@taskmuster/kvs/protocol";
import type { Inherited } from "./inheritance.js";
import { type Outstanding, attemptAfterLoss, nextAttempt, outstandingOf, retryOf } from "./outstanding.js";
import type { PublishQueue } from "./publish-queue.js";
import { Retries, retryDelayMs } from "./retries.js";
import { Suspects } from "./suspects.js";
import type { TaskItem } from "./task-file/index.js";
import { Policies, type TaskPolicy, plainPolicy } from "./task-policy.js";
import { TaskTable } from "./task-table.js";
import { Unsettled } from "./unsettled.js";

export interface OutstandingOptions {
  readonly needs: NeedsKey;
  /** One that has so many losses is given up at the next. */
  readonly maxLosses: number;
  readonly policy?: TaskPolicy;
}

/**
 * All tasks that were read and have not ended. Each is in one place: in the queue, to be published; with the store or an engine; waiting for its
 * retry; or held back, as a suspect.
 */
export class OutstandingTasks {
  readonly #needs: NeedsKey;
  readonly #policies: Policies;
  readonly #queue: PublishQueue;
  readonly #tasks = new TaskTable<Outstanding>();
  readonly #retries = new Retries<Outstanding>();
  readonly #suspects: Suspects<Outstanding>;
  readonly #unsettled = new Unsettled();
  /** Those of which an attempt was given up, also when they have ended. */
  readonly #reoffered = new Map<number, Outstanding>();
  #bytes = 0;

  constructor(queue: PublishQueue, options: OutstandingOptions) {
    this.#needs = options.needs;
    this.#policies = new Policies(options.policy ?? plainPolicy);
    this.#queue = queue;
    this.#suspects = new Suspects(options.maxLosses);
  }

  get size(): number {
    return this.#tasks.size;
  }

  /** Of their commands. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All but what waits here: that needs no engine, so it takes no room from what does. */
  get active(): number {
    return this.#tasks.size - Math.min(this.#retries.size + this.#suspects.waiting, mostWaiting);
  }

  get(id: number): Outstanding | undefined {
    return this.#tasks.get(id);
  }

  has(id: number): boolean {
    return this.#tasks.has(id);
  }

  /** It was read from the list. `inherited`: what a driver before this one left of it. */
  add(item: TaskItem, inherited: Inherited | null): void {
    const task = this.#first(item, inherited);
    this.#tasks.set(task.id, task);
    this.#bytes += task.command.byteLength;
    if (inherited?.held !== true) this.#queue.add(task);
    if (task.attempt > 1) this.#reoffered.set(task.id, task);
  }

  delete(task: Outstanding): void {
    if (!this.#tasks.delete(task.id)) return;
    this.#bytes -= task.command.byteLength;
    if (!this.#suspects.isEmpty) this.#offerNow(this.#suspects.ended(task.id));
  }

  /** Of which an attempt was given up, as it stands, or as it was when it ended. */
  reoffered(id: number): Outstanding | undefined {
    return this.#reoffered.get(id);
  }

  /** It has a row, but attempts of it were given up. */
  addReoffered(item: TaskItem, inherited: Inherited): void {
    this.#reoffered.set(item.id, this.#first(item, inherited));
  }

  /** This attempt has got the task's row. */
  endedAs(task: Outstanding): void {
    if (this.#reoffered.has(task.id)) this.#reoffered.set(task.id, task);
  }

  /** The attempt was handed back: the next one is offered. */
  handBack(task: Outstanding): void {
    this.#attemptOver(task);
    const next = nextAttempt(task);
    this.#reoffered.set(task.id, next);
    this.#tasks.set(task.id, next);
    this.#offer(next);
  }

  /** The attempt failed: the next one is offered when its delay is over. */
  retry(task: Outstanding): void {
    this.#attemptOver(task);
    const next = retryOf(task);
    this.#tasks.set(task.id, next);
    this.#retries.add(next, retryDelayMs(task.policy.retryDelayMs, next.failed.length, task.id));
  }

  /** The attempt was lost. Answers the next one, which is to be offered with all that were lost with it, or to be given up. */
  lose(task: Outstanding, started: boolean): Outstanding {
    this.#attemptOver(task);
    // One that waited behind others each time would be no small coincidence.
    const next = attemptAfterLoss(task, started || task.timesLost > 0);
    this.#reoffered.set(task.id, next);
    this.#tasks.set(task.id, next);
    return next;
  }

  /** Next attempts at tasks that were lost together. */
  offerLost(tasks: readonly Outstanding[]): void {
    this.#suspects.onLost(tasks);
    for (const task of tasks) this.#offer(task);
  }

  /** Offers what has waited for its retry. `now` in ms, monotonic. Answers ms until the next one is due; null: none waits. */
  offerDue(now: number): number | null {
    for (const task of this.#retries.takeDue(now)) this.#offer(task);
    return this.#retries.msToNext(now);
  }

  /** True: this attempt had not been published, and will not be. */
  unoffer(task: Outstanding): boolean {
    return this.#queue.remove(task) || this.#retries.remove(task) || this.#suspects.remove(task);
  }

  /** Nothing more is offered: what waits here waits for nothing. */
  stopWaiting(): void {
    this.#retries.clear();
    this.#suspects.clear();
  }

  /** The store has forgotten: whoever has what was published, or nobody, has to be found out. */
  onForgotten(): void {
    const never = new Set([...this.#queue.tasks(), ...this.#retries.tasks(), ...this.#suspects.tasks()]);
    this.#unsettled.add([...this.#tasks.values()].filter((task) => !never.has(task)));
  }

  /** An engine that came back to the store has these. */
  onAnnounced(claims: readonly ClaimedTask[]): void {
    this.#unsettled.onAnnounced(claims);
  }

  /** What nobody has announced, and is still as it was: nothing has been heard of it meanwhile. */
  takeUnsettled(): readonly Outstanding[] {
    return this.#unsettled.takeAll().filter((task) => this.#tasks.get(task.id) === task);
  }

  #first(item: TaskItem, inherited: Inherited | null): Outstanding {
    return outstandingOf(item, this.#needs, this.#policies.of(item.rules), inherited);
  }

  #offer(task: Outstanding): void {
    if (this.#suspects.offer(task)) this.#queue.addInFront(task);
  }

  /** One that is a suspect makes room for another. */
  #attemptOver(task: Outstanding): void {
    if (!this.#suspects.isEmpty) this.#offerNow(this.#suspects.attemptOver(task.id));
  }

  #offerNow(tasks: readonly Outstanding[]): void {
    for (const task of tasks) this.#queue.addInFront(task);
  }
}

/** So many tasks may wait for their retries beside what the window lets in. */
const mostWaiting = 10_000;
