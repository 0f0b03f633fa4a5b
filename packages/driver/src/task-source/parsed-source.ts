import { TaskmusterError } from "@taskmuster/kvs";
import { type Item, TaskFileParser } from "../core/task-file/index.js";
import { reasonOf } from "../status-file.js";
import type { TaskSource } from "./task-source.js";

export interface ByteSource {
  /** Bytes as they come, there until the next ones are asked for; null at the end. */
  next(): Promise<Uint8Array | null>;
  close(): Promise<void>;
}

/** Items parsed from bytes, as the bytes come. */
export class ParsedSource implements TaskSource {
  readonly name: string;
  readonly #bytes: ByteSource;
  readonly #parser: TaskFileParser;
  #ended = false;

  constructor(name: string, bytes: ByteSource, options: { readonly lenient: boolean }) {
    this.name = name;
    this.#bytes = bytes;
    this.#parser = new TaskFileParser(options);
  }

  async read(max: number): Promise<readonly Item[]> {
    const items: Item[] = [];
    // Once closed there are none: what came last may be half a line.
    while (items.length < max && !this.#ended) {
      const item = this.#parser.next();
      if (item === "end") break;
      if (item !== "needMore") {
        items.push(item);
        continue;
      }
      if (items.length > 0) break;
      await this.#feed();
    }
    return items;
  }

  async close(): Promise<void> {
    this.#ended = true;
    await this.#bytes.close();
  }

  async #feed(): Promise<void> {
    let chunk: Uint8Array | null;
    try {
      chunk = await this.#bytes.next();
    } catch (cause) {
      throw new TaskmusterError("E_TASK_FILE", `cannot read ${this.name}: ${reasonOf(cause)}`, { cause });
    }
    if (chunk === null) this.#parser.end();
    else this.#parser.feed(chunk);
  }
}
