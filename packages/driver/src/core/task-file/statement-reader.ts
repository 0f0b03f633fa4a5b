import { hasWord, hash, isBlank, space } from "./ascii.js";
import { type Directive, directiveStart, readDirective } from "./directive.js";
import type { ErrorItem, NoticeItem } from "./item.js";
import { LineSplitter } from "./line-splitter.js";
import * as messages from "./messages.js";
import { mostNumber } from "./repeat.js";

export interface TaskFileOptions {
  /** disBatch's way with directives that are unknown, malformed or too late: say so and go on without them. */
  readonly lenient: boolean;
}

/** A task line is only named, for there are a million of them: it is `bytes[start..end)` of the reader's `line`. */
export type Statement = "task" | AcceptedDirective | NoticeItem | ErrorItem;
type AcceptedDirective = Exclude<Directive, { readonly kind: "unknown" | "tooLarge" }>;

/** With prefix and suffix. No kernel runs so long a one; and its row, in which a byte may take four, can still be read back. */
const mostCommandBytes = 3 * 1024 * 1024;

const marker = directiveStart.trimEnd();

/**
 * Reads the lines of a task file, passes over comments and decides what is allowed where. What a list is made of is decided only here, so
 * that a scan before the run and the run itself cannot disagree. After an error comes `end`, whatever follows.
 */
export class StatementReader {
  readonly line = new LineSplitter();
  /** Tasks and barriers up to and with the last statement; those of a REPEAT all at once. */
  tasks = 0;
  barriers = 0;
  /** A line end `\r\n` was seen. */
  crlf = false;

  readonly #lenient: boolean;
  #perEngineAllowed = true;
  #prefixBytes = 0;
  #suffixBytes = 0;
  #next: Statement | null = null;
  #markerNoted = false;
  #over = false;

  constructor(options: TaskFileOptions) {
    this.#lenient = options.lenient;
  }

  next(): Statement | "needMore" | "end" {
    if (this.#next !== null) {
      const statement = this.#next;
      this.#next = null;
      return statement;
    }
    if (this.#over) return "end";
    for (;;) {
      const cut = this.line.next();
      if (cut === "line") {
        const statement = this.#read();
        if (statement !== null) return statement;
      } else if (cut === "tooLong") {
        return this.#error(messages.tooLong(this.#text()));
      } else if (cut !== "crlf") {
        return cut;
      } else if (!this.crlf) {
        this.crlf = true;
        return this.#notice(messages.crlf);
      }
    }
  }

  /** Null: a comment, a blank line. */
  #read(): Statement | null {
    const { bytes, start, end } = this.line;
    let at = start;
    while (at < end && isBlank(bytes[at])) at++;
    if (at === end) return null;
    if (bytes[at] !== hash) return this.#task();
    if (at !== start || !this.#has(marker)) return null;
    if (end > start + marker.length && bytes[start + marker.length] === space) return this.#directive();
    if (this.#markerNoted) return this.#task();
    this.#markerNoted = true;
    this.#next = this.#task();
    return this.#notice(messages.markerOnly(this.#text()));
  }

  #has(word: string): boolean {
    return this.line.end - this.line.start >= word.length && hasWord(this.line.bytes, this.line.start, word);
  }

  #task(): Statement {
    this.#perEngineAllowed = false;
    return this.#tooLong(this.line.end - this.line.start) ?? this.#count("tasks", 1) ?? "task";
  }

  #directive(): Statement | null {
    const directive = readDirective(this.#text());
    switch (directive.kind) {
      case "prefix":
        this.#prefixBytes = directive.text.length;
        return directive;
      case "suffix":
        this.#suffixBytes = directive.text.length;
        return directive;
      case "retries":
      case "timeout":
        return directive;
      case "perEngine":
        return this.#tooLong(directive.command.length) ?? this.#perEngine(directive);
      case "repeat":
        this.#perEngineAllowed = false;
        return this.#tooLong(directive.command.length) ?? this.#count("tasks", directive.count) ?? directive;
      case "barrier":
        this.#perEngineAllowed = false;
        return this.#count("barriers", 1) ?? directive;
      case "tooLarge":
        return this.#error(messages.tooLarge(this.#text()));
      case "unknown":
        this.#perEngineAllowed = false;
        if (!this.#lenient) return this.#error(messages.unknown(this.#text(), directive.advice));
        return this.#notice(messages.ignored(this.#text(), directive.advice));
    }
  }

  #perEngine(directive: Extract<Directive, { kind: "perEngine" }>): Statement {
    if (!this.#perEngineAllowed) {
      if (!this.#lenient) return this.#error(messages.latePerEngine(this.#text()));
      this.#over = true;
      return this.#notice(messages.dropped(this.#text()));
    }
    if (directive.upperCase) return directive;
    if (!this.#lenient) return this.#error(messages.lowerCase(this.#text()));
    this.#next = directive;
    return this.#notice(messages.takenAsUpperCase(this.#text()));
  }

  #tooLong(commandBytes: number): ErrorItem | null {
    const isTooLong = this.#prefixBytes + commandBytes + this.#suffixBytes > mostCommandBytes;
    return isTooLong ? this.#error(messages.commandTooLong(this.#text())) : null;
  }

  #count(what: "tasks" | "barriers", count: number): ErrorItem | null {
    if (this.tasks + this.barriers + count > mostNumber) return this.#error(messages.tooLarge(this.#text()));
    this[what] += count;
    return null;
  }

  #text(): Buffer {
    return this.line.bytes.subarray(this.line.start, this.line.end);
  }

  #notice(message: string): NoticeItem {
    return { kind: "notice", line: this.line.number, message };
  }

  #error(message: string): ErrorItem {
    this.#over = true;
    return { kind: "error", line: this.line.number, text: messages.shown(this.#text()), message };
  }
}
