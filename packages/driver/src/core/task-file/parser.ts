import { type TaskId, taskId } from "@taskmuster/kvs/protocol";
import type { TaskRules } from "../task-policy.js";
import type { Item } from "./item.js";
import type { Repeat } from "./repeat.js";
import { rulesWith } from "./rules.js";
import { StatementReader, type TaskFileOptions } from "./statement-reader.js";

const nothing: Buffer = Buffer.alloc(0);

/**
 * Turns the bytes of a task file into items, as they are asked for: a REPEAT of any count costs nothing until its tasks are
 * taken. Items do not depend on where the input was cut into chunks. Feed when `next` says `needMore`: what is fed earlier is held.
 */
export class TaskFileParser {
  readonly #reader: StatementReader;
  #nextId = 0;
  #prefix: Buffer = nothing;
  #suffix: Buffer = nothing;
  #rules: TaskRules | undefined;
  #repeat: {
    readonly line: number;
    readonly command: Uint8Array;
    readonly step: number;
    index: number;
    left: number;
  } | null = null;

  constructor(options: TaskFileOptions) {
    this.#reader = new StatementReader(options);
  }

  /** The bytes must not be changed before `next` has said `needMore`. */
  feed(chunk: Uint8Array): void {
    this.#reader.line.feed(chunk);
  }

  /** No more chunks come; a last line without a line end is complete now. */
  end(): void {
    this.#reader.line.finish();
  }

  /** `needMore` until a chunk is fed or the input ended; `end` for ever after the last item, or after an error. */
  next(): Item | "needMore" | "end" {
    for (;;) {
      const repeated = this.#nextRepeated();
      if (repeated !== null) return repeated;
      const statement = this.#reader.next();
      if (statement === "task") return this.#task(this.#reader.line.number, -1, this.#lineCommand());
      if (statement === "needMore" || statement === "end") return statement;
      switch (statement.kind) {
        case "prefix":
          this.#prefix = Buffer.from(statement.text);
          continue;
        case "suffix":
          this.#suffix = Buffer.from(statement.text);
          continue;
        case "retries":
          this.#rules = rulesWith(this.#rules, statement);
          continue;
        case "timeout":
          this.#rules = { ...this.#rules, timeoutMs: statement.timeoutMs };
          continue;
        case "repeat":
          this.#beginRepeat(statement);
          continue;
        case "barrier": {
          const { bytes, start, end, number } = this.#reader.line;
          const text = Buffer.from(bytes.subarray(start, end));
          return {
            kind: "barrier",
            id: this.#takeId(),
            line: number,
            check: statement.check,
            key: statement.key,
            text,
          };
        }
        case "perEngine": {
          const command = this.#command(statement.command);
          return { kind: "perEngine", when: statement.when, line: this.#reader.line.number, command };
        }
        case "notice":
        case "error":
          return statement;
      }
    }
  }

  #beginRepeat({ count, start, step, command }: Repeat): void {
    this.#repeat = {
      line: this.#reader.line.number,
      command: this.#command(command),
      step,
      index: start,
      left: count,
    };
  }

  #nextRepeated(): Item | null {
    const repeat = this.#repeat;
    if (repeat === null) return null;
    if (repeat.left === 0) {
      this.#repeat = null;
      return null;
    }
    const item = this.#task(repeat.line, repeat.index, repeat.command);
    repeat.left--;
    repeat.index += repeat.step;
    return item;
  }

  #task(line: number, repeatIndex: number, command: Uint8Array): Item {
    return { kind: "task", id: this.#takeId(), line, repeatIndex, rules: this.#rules, command };
  }

  #takeId(): TaskId {
    return taskId(this.#nextId++);
  }

  #lineCommand(): Buffer {
    const { bytes, start, end } = this.#reader.line;
    const before = this.#prefix.length;
    const length = end - start;
    const command = Buffer.allocUnsafe(before + length + this.#suffix.length);
    if (before > 0) command.set(this.#prefix);
    // Most lines are shorter than what it takes to have them copied.
    if (length < 64) for (let at = 0; at < length; at++) command[before + at] = bytes[start + at] ?? 0;
    else bytes.copy(command, before, start, end);
    if (this.#suffix.length > 0) command.set(this.#suffix, before + length);
    return command;
  }

  #command(text: Uint8Array): Buffer {
    return Buffer.concat([this.#prefix, text, this.#suffix]);
  }
}
