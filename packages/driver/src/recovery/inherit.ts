import { TaskmusterError } from "@taskmuster/kvs";
import { attempt, taskId } from "@taskmuster/kvs/protocol";
import type { DriverCore } from "../core/driver-core.js";
import { type GivenUp, Inheritance } from "../core/inheritance.js";
import type { UnknownTasks } from "../core/unknown-tasks.js";
import type { ReadyList } from "../start-run.js";
import type { Remains } from "./remains.js";
import type { TakenStore } from "./take-store.js";

/** What the ledger and the store, if it is there, tell of tasks that were published. */
export function inheritanceOf({ section }: Remains, taken: TakenStore | null): Inheritance {
  const { losses, returned, retried } = section;
  const givenUp: GivenUp[] = [];
  for (const { kind, tasks } of losses) {
    // Those have ended.
    if (kind === "unrecorded") continue;
    const lost = kind === "engine" || kind === "launcher";
    for (const { id, attempt: tried } of tasks) {
      if (!returned.has(`${id}:${tried}`)) givenUp.push({ id: taskId(id), attempt: attempt(tried), lost });
    }
  }
  for (const [id, attempts] of retried) {
    for (const { attempt: tried } of attempts) {
      givenUp.push({ id: taskId(id), attempt: attempt(tried), lost: false, failed: true });
    }
  }
  for (const task of taken?.lost ?? []) givenUp.push({ ...task, lost: true });
  const reported = (taken?.reports ?? []).flatMap(({ report }) =>
    report.kind === "task" ? [{ id: report.id, attempt: report.attempt }] : [],
  );
  return new Inheritance({ givenUp, held: [...(taken?.claims ?? []), ...reported] });
}

/** What reading the list has brought. */
export interface ReadList {
  /** The last barrier of each `BARRIER key` that was passed: their marks for other programs may not have been left. */
  readonly posts: ReadonlyMap<string, number>;
  /** Tasks that may have begun and of which nobody can tell any more; none where the store tells. */
  readonly unknown: UnknownTasks;
}

/**
 * Looks through the list for what is known of before: the core must know of it when its reports come. `waits`: nothing may be published
 * yet.
 */
export async function readKnown(
  list: Pick<ReadyList, "reread">,
  core: DriverCore,
  inherited: Inheritance,
  unknown: UnknownTasks,
  waits: boolean,
): Promise<ReadList> {
  if (list.reread === null)
    throw new TaskmusterError("E_BUG", "a list that cannot be read again was taken over");
  const posts = new Map<string, number>();
  let left = inherited.count;
  for await (const items of list.reread()) {
    for (const item of items) {
      if (item.kind !== "task" && item.kind !== "barrier") continue;
      const hasEnded = core.past.isKnown(item.id);
      unknown.look(item, hasEnded);
      if (item.kind === "barrier") {
        if (item.key !== null && (hasEnded || inherited.wasPassed(item.id))) posts.set(item.key, item.id);
        continue;
      }
      const found = left === 0 ? null : inherited.find(item.id);
      if (found === null) continue;
      left--;
      if (hasEnded) core.past.onReofferedTask(item, found);
      else if (found.held || !waits) core.onTask(item, found);
    }
  }
  for (const task of unknown.all()) inherited.giveUp({ ...task, lost: false });
  return { posts, unknown };
}
