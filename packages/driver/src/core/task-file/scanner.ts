import type { ListError } from "./item.js";
import { StatementReader, type TaskFileOptions } from "./statement-reader.js";

/** What a whole task file holds. After an error: what stands before it. */
interface ScanResult {
  /** Those of a REPEAT each. */
  readonly tasks: number;
  readonly barriers: number;
  /** Physical lines; up to the one with the error, or the one from which on all is dropped. */
  readonly lines: number;
  readonly error: ListError | null;
  /** A line end `\r\n` was seen. */
  readonly crlf: boolean;
}

/** Reads a task file only to count it and to find the first error, before anything runs. Agrees with `TaskFileParser`. */
export class TaskFileScanner {
  readonly #reader: StatementReader;
  #error: ListError | null = null;

  constructor(options: TaskFileOptions) {
    this.#reader = new StatementReader(options);
  }

  feed(chunk: Uint8Array): void {
    this.#reader.line.feed(chunk);
    this.#scan();
  }

  /** Nothing that follows matters. */
  get failed(): boolean {
    return this.#error !== null;
  }

  end(): ScanResult {
    this.#reader.line.finish();
    this.#scan();
    const { tasks, barriers, crlf, line } = this.#reader;
    return { tasks, barriers, lines: line.lines, error: this.#error, crlf };
  }

  #scan(): void {
    for (;;) {
      const statement = this.#reader.next();
      if (statement === "needMore" || statement === "end") return;
      if (statement !== "task" && statement.kind === "error") {
        const { line, text, message } = statement;
        this.#error = { line, text, message };
      }
    }
  }
}
