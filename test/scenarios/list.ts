import type { PerEngineCommand } from "@taskmuster/kvs/protocol";
import { type Item, TaskFileParser } from "../../packages/driver/src/core/task-file/index.js";

/** What stands in these lines of a list. */
export function itemsOf(lines: readonly string[]): readonly Item[] {
  const parser = new TaskFileParser({ lenient: false });
  parser.feed(Buffer.from(lines.map((line) => `${line}\n`).join("")));
  parser.end();
  const items: Item[] = [];
  for (let item = parser.next(); item !== "end" && item !== "needMore"; item = parser.next())
    items.push(item);
  return items;
}

export function linesOf(items: readonly Item[], when: "start" | "stop"): PerEngineCommand[] {
  return items.flatMap((item) =>
    item.kind === "perEngine" && item.when === when ? [{ line: item.line, command: item.command }] : [],
  );
}
