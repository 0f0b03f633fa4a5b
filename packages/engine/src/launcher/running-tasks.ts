export interface RunningTask {
  readonly tag: number;
  /** -1 while not known. */
  pid: number;
  /** `stop` was called for it. */
  stopping: boolean;
  /** When it was launched, ms since 1970. */
  readonly startedMs: number;
}

/** The tasks that were launched and have not ended. */
export class RunningTasks<Task extends RunningTask = RunningTask> {
  readonly #tasks = new Map<number, Task>();

  /** Throws a `RangeError` on a tag that is in use or is not 0 to 2^32 - 1. */
  add(tag: number, make: (task: RunningTask) => Task): Task {
    checkTag(tag);
    if (this.#tasks.has(tag)) throw new RangeError(`tag ${tag} is in use`);
    const task = make({ tag, pid: -1, stopping: false, startedMs: Date.now() });
    this.#tasks.set(tag, task);
    return task;
  }

  get(tag: number): Task | undefined {
    return this.#tasks.get(tag);
  }

  /** False: it is not running (any more), so its end must not be told. */
  remove(tag: number): boolean {
    return this.#tasks.delete(tag);
  }

  all(): Task[] {
    return [...this.#tasks.values()];
  }

  takeAll(): Task[] {
    const all = this.all();
    this.#tasks.clear();
    return all;
  }
}

/** Throws a `RangeError` on what is not 0 to 2^32 - 1. */
export function checkTag(tag: number): void {
  if (!Number.isInteger(tag) || tag < 0 || tag > 0xffffffff) throw new RangeError(`not a tag: ${tag}`);
}
