/** So many losses of one task are bad luck; more may be its own doing. */
const unsuspicious = 1;

/** What is known of the losses of a task. */
export interface LostTask {
  readonly id: number;
  /** Those that count: it had started. */
  readonly losses: number;
  /** Those too in which it may have waited behind others. */
  readonly timesLost: number;
}

interface Group<Task> {
  /** So many of them may be offered at a time. */
  readonly most: number;
  readonly offered: Set<number>;
  readonly waiting: Task[];
}

/**
 * Tasks of which one may be the reason why engines die that run it. Of those that were lost together, again, no more than half are
 * offered at a time, so that each further loss takes fewer of its neighbours with a poison task; and one that would be given up at its next
 * loss is offered when no other such task is, so that nobody is given up for another's doing.
 */
export class Suspects<Task extends LostTask> {
  readonly #maxLosses: number;
  readonly #groups = new Map<number, Group<Task>>();
  readonly #lastChance: Group<Task> = { most: 1, offered: new Set(), waiting: [] };
  #waiting = 0;

  /** `maxLosses`: one that has so many is given up at the next. */
  constructor(maxLosses: number) {
    this.#maxLosses = maxLosses;
  }

  /** There is no suspect, nearly always. */
  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  /** So many wait until they may be offered. */
  get waiting(): number {
    return this.#waiting;
  }

  /** All that wait. */
  tasks(): readonly Task[] {
    return [...new Set(this.#groups.values())].flatMap(({ waiting }) => waiting);
  }

  /** These were lost together and are to be offered again. */
  onLost(tasks: readonly Task[]): void {
    const suspects = tasks.filter(({ timesLost }) => timesLost > unsuspicious);
    const others = suspects.filter(({ losses }) => losses < this.#maxLosses);
    const group: Group<Task> = { most: Math.ceil(others.length / 2), offered: new Set(), waiting: [] };
    for (const task of suspects) {
      this.#groups.set(task.id, task.losses < this.#maxLosses ? group : this.#lastChance);
    }
  }

  /** True: it may be offered now. False: it waits here. */
  offer(task: Task): boolean {
    const group = this.#groups.get(task.id);
    if (group === undefined) return true;
    if (group.offered.size < group.most) {
      group.offered.add(task.id);
      return true;
    }
    group.waiting.push(task);
    this.#waiting++;
    return false;
  }

  /** An attempt at it is over, however it ended. Answers what may be offered in its place. */
  attemptOver(id: number): readonly Task[] {
    const group = this.#groups.get(id);
    if (group?.offered.delete(id) !== true) return [];
    const next = group.waiting.splice(0, group.most - group.offered.size);
    this.#waiting -= next.length;
    for (const task of next) group.offered.add(task.id);
    return next;
  }

  /** Nothing more will be heard of it; the same answer. */
  ended(id: number): readonly Task[] {
    const next = this.attemptOver(id);
    this.#groups.delete(id);
    return next;
  }

  /** False: it does not wait here. */
  remove(task: Task): boolean {
    const waiting = this.#groups.get(task.id)?.waiting ?? [];
    const at = waiting.indexOf(task);
    if (at === -1) return false;
    waiting.splice(at, 1);
    this.#waiting--;
    return true;
  }

  clear(): void {
    this.#groups.clear();
    this.#lastChance.offered.clear();
    this.#lastChance.waiting.length = 0;
    this.#waiting = 0;
  }
}
