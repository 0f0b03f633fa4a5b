import type { Publish } from "./driver-values.js";
import { type Outstanding, queuedTask } from "./outstanding.js";
import { PublishOrder } from "./publish-order.js";

/** Tasks that are to be published: in front what is offered again, behind it what comes from the list. */
export class PublishQueue {
  readonly #front: Outstanding[] = [];
  readonly #back: Outstanding[] = [];
  /** Null: in the order of the list. */
  #mixing: PublishOrder | null = null;
  /** The last time, and where it stood. */
  #taken: { readonly list: Outstanding[]; readonly tasks: readonly Outstanding[] } | null = null;
  #published = 0;

  /** No task from this id on has been taken. */
  get published(): number {
    return this.#published;
  }

  /** All that wait here. */
  tasks(): readonly Outstanding[] {
    return [...this.#front, ...this.#back];
  }

  /** From now on tasks that lie near each other in the list are taken in random order. */
  mix(): void {
    this.#mixing ??= new PublishOrder();
  }

  add(task: Outstanding): void {
    this.#back.push(task);
  }

  /** Before all that come from the list. */
  addInFront(task: Outstanding): void {
    this.#front.push(task);
  }

  /** At most so many tasks, and no more when their commands have so many bytes; null: there is none. */
  take(maxTasks: number, maxBytes: number): Publish | null {
    const where = this.#front.length > 0 ? "front" : "back";
    const list = where === "front" ? this.#front : this.#back;
    if (list.length === 0) return null;
    const mixing = where === "back" ? this.#mixing : null;
    mixing?.shuffle(list);
    let bytes = 0;
    let count = 0;
    while (count < list.length && count < maxTasks && bytes < maxBytes) {
      const task = list[count++];
      if (task === undefined) break;
      bytes += task.command.byteLength;
      if (task.id >= this.#published) this.#published = task.id + 1;
    }
    this.#taken = { list, tasks: list.splice(0, count) };
    return { tasks: this.#taken.tasks.map(queuedTask), where: mixing?.where() ?? where };
  }

  /** What was taken last has not been published: it is the first to be taken again. */
  putBack(): void {
    const taken = this.#taken;
    this.#taken = null;
    taken?.list.unshift(...taken.tasks);
  }

  /** False: it does not wait here. */
  remove(task: Outstanding): boolean {
    for (const list of [this.#front, this.#back]) {
      const at = list.indexOf(task);
      if (at === -1) continue;
      list.splice(at, 1);
      return true;
    }
    return false;
  }
}
