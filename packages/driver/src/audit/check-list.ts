import { TaskmusterError } from "@taskmuster/kvs";
import { identityOf } from "../core/row-scanner.js";
import { commandColumn } from "../core/status-line/index.js";
import { openList } from "../open-list.js";
import type { ListCheck } from "../core/audit/audit.js";
import type { FileRows } from "../core/audit/file-rows.js";

/**
 * Compares the rows of a status file, read with identities, with the list that they are of. Throws `TaskmusterError` when that cannot be
 * read, or is no regular file.
 */
export async function checkList(path: string, { table }: FileRows): Promise<ListCheck> {
  // A list that its driver had refused would have no status file.
  const { source, reread } = await openList(path, { lenient: true, spool: "" });
  try {
    if (reread === null) {
      throw new TaskmusterError("E_USAGE", `${path} (--list) is not a regular file: it cannot be read twice`);
    }
    const others: [number, number][] = [];
    let [tasks, barriers] = [0, 0];
    for await (const items of reread()) {
      for (const item of items) {
        if (item.kind !== "task" && item.kind !== "barrier") continue;
        const isTask = item.kind === "task";
        if (isTask) tasks++;
        else barriers++;
        const final = table.final(item.id);
        if (final === null) continue;
        const identity = isTask
          ? identityOf(item.line, item.repeatIndex, commandColumn(item.command))
          : identityOf(item.line, -1, commandColumn(item.text));
        if (final.identity !== identity) addTo(others, item.id);
      }
    }
    return { path, tasks, barriers, others };
  } finally {
    await source.close();
  }
}

/** Ids come in order. */
function addTo(ranges: [number, number][], id: number): void {
  const last = ranges.at(-1);
  if (last?.[1] === id - 1) last[1] = id;
  else ranges.push([id, id]);
}
