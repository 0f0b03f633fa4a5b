import { type Item, TaskFileParser } from "../../../src/core/task-file/index.js";

export function bytesOf(list: string | Uint8Array): Buffer {
  return typeof list === "string" ? Buffer.from(list, "latin1") : Buffer.from(list);
}

/** All items that are there without more input. */
export function readyItems(parser: TaskFileParser): Item[] {
  const items: Item[] = [];
  for (let item = parser.next(); typeof item !== "string"; item = parser.next()) items.push(item);
  return items;
}

/** All items of a list that comes in the given chunks (one, unless told otherwise); text is latin1. */
export function readItems(list: string | Uint8Array, lenient = false, chunks = [bytesOf(list)]): Item[] {
  const parser = new TaskFileParser({ lenient });
  const items: Item[] = [];
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk);
    parser.feed(reused);
    items.push(...readyItems(parser));
    // What was read must not depend on the bytes any more.
    reused.fill(0x21);
  }
  parser.end();
  items.push(...readyItems(parser));
  return items;
}

/** A list's items in a form that is easy to write down. */
export function briefly(items: readonly Item[]): string[] {
  return items.map((item) => {
    switch (item.kind) {
      case "task":
        return `${item.id} line ${item.line}${item.repeatIndex === -1 ? "" : ` index ${item.repeatIndex}`}: ${latin1(item.command)}`;
      case "barrier":
        return `${item.id} line ${item.line}: ${item.check ? "check" : "barrier"} key ${JSON.stringify(item.key)}`;
      case "perEngine":
        return `${item.when} line ${item.line}: ${latin1(item.command)}`;
      case "notice":
        return `notice line ${item.line}`;
      case "error":
        return `error line ${item.line}: ${item.text}`;
    }
  });
}

/** Empty for items that say nothing. */
export function messageOf(item: Item | undefined): string {
  return item?.kind === "notice" || item?.kind === "error" ? item.message : "";
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
